import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { runKata } from "./run-kata.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-claims-"));
  await put("pnpm-workspace.yaml", 'packages: ["projects/*"]\n');
  await put("attempts/ledger/src/index.ts", "export default {};\n");
});
afterEach(() => rm(root, { recursive: true }));

async function put(file: string, text: string): Promise<void> {
  await mkdir(join(root, dirname(file)), { recursive: true });
  await writeFile(join(root, file), text);
}

function putKata(claims: string): Promise<void> {
  return put(
    "projects/ledger/kata.ts",
    `export default { title: "Ledger", engines: {}, limits: {}${claims} };\n`,
  );
}

function gradeClaims(...args: readonly string[]) {
  return runKata(["grade", "ledger", "--claims", ...args], { cwd: root, masked });
}

function masked(text: string): string {
  return text
    .replaceAll(root, "<root>")
    .replaceAll(/\d+ cores, load [\d.]+/g, "<n> cores, load <load>")
    .replaceAll(/ +\d+\.\d s /g, "  <time>  ");
}

it("says that an exercise asks for no claims", async () => {
  await putKata("");
  const ran = await gradeClaims();
  expect(ran.stderr).toMatchSnapshot();
  expect(ran.code).toBe(2);
});

it("says how many are still to be made, and where", async () => {
  await putKata(", claims: { count: 2, points: 5, delayMs: 50 }");
  const ran = await gradeClaims();
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(1);
});

it("gives nothing for what no engine can falsify, what isn't there, and what is said twice", async () => {
  await putKata(", claims: { count: 2, points: 5, delayMs: 50 }");
  const claim = (id: string, experiment: string) =>
    `\`\`\`claim\nid: ${id}\nexperiment: ${experiment}\npredicate: cost(once) >= 0\n\`\`\`\n\n`;
  await put(
    "attempts/ledger/src/DATABASE_DECISION_LOG.md",
    claim("always", "counted") + claim("again", "counted") + claim("lost", "lost"),
  );
  await put(
    "attempts/ledger/src/experiments/counted.experiment.ts",
    `export default {
      title: "What it costs.", parameters: {}, engines: {}, contenders: { once: { what: "one" } },
      metrics: { cost: { what: "what it takes", kind: "value", unit: "1" } },
      open: async () => ({ measure: async (_, turn) => turn.record("cost", 1), async [Symbol.asyncDispose]() {} }),
    };\n`,
  );
  const ran = await gradeClaims();
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(1);
  const { points } = JSON.parse((await gradeClaims("--json")).stdout) as { points: unknown };
  expect(points).toEqual({ earned: 0, possible: 10 });
});
