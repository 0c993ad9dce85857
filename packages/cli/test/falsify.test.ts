import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { formatMoment } from "../src/falsify/text.ts";
import { ENVIRONMENT, MAIN, runKata } from "./run-kata.ts";

/** Needs no engine; twice costs twice as much. In a turn that the environment names, it crashes or waits. */
const EXPERIMENT = `
export default {
  title: "What it costs to count.",
  parameters: { size: { what: "things to count", full: 100, quick: 10 } },
  engines: {},
  contenders: { once: { what: "counts once" }, twice: { what: "counts twice" } },
  metrics: { cost: { what: "what it takes", kind: "value", unit: "B" } },
  turns: 6,
  warmUpTurns: 0,
  async open({ parameters }) {
    return {
      async measure(contender, turn) {
        if (process.env.CRASH_IN === String(turn.number)) throw new Error("lost count");
        if (process.env.WAIT_IN === String(turn.number)) await new Promise((resolve) => setTimeout(resolve, 60_000));
        turn.record("cost", (contender === "twice" ? 2 : 1) * parameters.size);
      },
      async [Symbol.asyncDispose]() {},
    };
  },
};
`;

const NEEDS_ENGINE = EXPERIMENT.replace("engines: {}", 'engines: { redis: { engine: "redis" } }');

const LOG = `# Decision log

## Counting

\`\`\`claim
id: twice-costs-more
experiment: counted
predicate: cost(twice) > 1.5 * cost(once)
\`\`\`

\`\`\`claim
id: twice-costs-the-same
experiment: counted
predicate: cost(twice) <= cost(once)
source: folklore
expected: falsified
\`\`\`
`;

let root: string;
let kataFolder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kata-falsify-"));
  kataFolder = join(root, "projects", "ledger");
  await mkdir(join(kataFolder, "experiments"), { recursive: true });
  await writeFile(join(root, "pnpm-workspace.yaml"), 'packages: ["projects/*"]\n');
  await writeFile(
    join(kataFolder, "kata.ts"),
    'export default { title: "Ledger", engines: {}, limits: {} };\n',
  );
  await put("experiments/counted.experiment.ts", EXPERIMENT);
  await put("DATABASE_DECISION_LOG.md", LOG);
});
afterEach(() => rm(root, { recursive: true }));

function put(file: string, text: string): Promise<void> {
  return writeFile(join(kataFolder, file), text);
}

function log(): Promise<string> {
  return readFile(join(kataFolder, "DATABASE_DECISION_LOG.md"), "utf8");
}

function kata(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  const env = { ...ENVIRONMENT, ...more };
  return runKata(["falsify", ...args, "--seed", "7"], { cwd: root, env, masked });
}

/** Paths, and what differs from machine to machine. */
function masked(text: string): string {
  return text
    .replaceAll(`/private${root}`, "<root>")
    .replaceAll(root, "<root>")
    .replaceAll(/\d+ cores, load [\d.]+/g, "<n> cores, load <load>")
    .replaceAll(/^.*, \d+ cores \(.*, Node v.*$/gm, "<machine>")
    .replaceAll(/\d{4}-\d\d-\d\d/g, "<date>");
}

it("says what held and what didn't, writes the lines last-measured and nothing else, and keeps history", async () => {
  const ran = await kata(["ledger", "--html", "claims.html"]);
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(0);
  const lines = masked(await log()).split("\n");
  expect(lines.filter((line) => line.startsWith("last-measured"))).toMatchSnapshot();
  expect(lines.filter((line) => !line.startsWith("last-measured")).join("\n")).toBe(LOG);
  const page = await readFile(join(root, "claims.html"), "utf8");
  expect(page.match(/<svg /g)).toHaveLength(4);
  expect(page).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);

  await kata(["ledger", "--claim", "twice-costs-more", "--no-write"]);
  const kept = join(kataFolder, ".kata", "falsify");
  const history = (await readFile(join(kept, "history.jsonl"), "utf8")).trim().split("\n");
  expect(history.map((line) => JSON.parse(line).id)).toEqual([
    "twice-costs-more",
    "twice-costs-the-same",
    "twice-costs-more",
  ]);
  // Measured anew, not read again.
  expect(await readdir(join(kept, "raw"))).toHaveLength(2);
});

it("ends with 1 when something turns out contrary to its log; a quick run leaves the log alone", async () => {
  await put("DATABASE_DECISION_LOG.md", LOG.replace("expected: falsified\n", ""));
  const before = await log();
  const ran = await kata(["--quick"]);
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(1);
  expect(await log()).toBe(before);
});

it("tells in JSON what became of each claim", async () => {
  const ran = await kata(["--quick", "--json"]);
  const { claims } = JSON.parse(ran.stdout) as {
    claims: { kata: string; id: string; finding: { verdict: string } }[];
  };
  expect(claims.map(({ kata, id, finding }) => [kata, id, finding.verdict])).toEqual([
    ["ledger", "twice-costs-more", "held"],
    ["ledger", "twice-costs-the-same", "falsified"],
  ]);
});

it("goes on where an experiment crashed", async () => {
  const crashed = await kata(["--quick"], { CRASH_IN: "3" });
  expect(crashed.stdout).toMatchSnapshot();
  expect(crashed.code).toBe(2);
  expect((await kata(["--quick"], { CRASH_IN: "1" })).code).toBe(0);
});

it("keeps what was measured when it is interrupted", async () => {
  const child = spawn(process.execPath, [MAIN, "falsify", "--quick"], {
    cwd: root,
    env: { ...ENVIRONMENT, WAIT_IN: "3" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const journal = join(kataFolder, ".kata", "falsify", "quick.jsonl");
  const turns = async () =>
    (await readFile(journal, "utf8").catch(() => "")).split('"kind":"turn"').length - 1;
  await expect.poll(turns, { timeout: 30_000 }).toBe(3);
  child.kill("SIGINT");
  const code = await new Promise((resolve) => child.once("exit", resolve));
  expect(code).toBe(130);
  expect((await kata(["--quick"], { CRASH_IN: "1" })).code).toBe(0);
});

const CHECKED = `# Decision log

\`\`\`claim
id: kept
says: what is put is there
checks: [kept]
mutants: [forgets]
\`\`\`

\`\`\`claim
id: in-chaos
says: nothing is lost in any schedule
outside: pnpm chaos
\`\`\`
`;

/** An exercise without engines, whose wrong answer is as the caller says. */
async function putChecked(forgets: string): Promise<void> {
  const answer = (get: string) =>
    `export default { createNode: async () => { let kept; return { put: async (each) => { kept = each; }, get: async () => ${get} }; } };\n`;
  await mkdir(join(kataFolder, "grading"));
  await mkdir(join(kataFolder, "src"));
  await mkdir(join(kataFolder, "mutants", "forgets"), { recursive: true });
  await put(
    "kata.ts",
    'export default { title: "Ledger", engines: {}, concepts: ["memory"], limits: { memoryMb: 64, callMs: 20000, checkMs: 60000 } };\n',
  );
  await put(
    "grading/01-kept.grade.ts",
    `export default {
      title: "it is kept", points: 1, concept: "memory", engines: {}, nodes: ["a"], hints: ["Keep it."],
      async run(t) {
        const a = await t.start("a", {});
        await a.put("note");
        t.equal(await a.get(), "note", "what was put is there");
      },
    };\n`,
  );
  await put("contract.ts", "export interface Submission {}\n");
  await put("package.json", '{ "type": "module" }\n');
  await put("src/index.ts", answer("kept"));
  await put(
    "mutants/forgets/mutant.json",
    JSON.stringify({ trap: "forgets", why: "Nobody reads it anyway.", must: ["kept"] }),
  );
  await put("mutants/forgets/index.ts", answer(forgets));
  await put("DATABASE_DECISION_LOG.md", CHECKED);
}

it("runs a claim's checks on the reference and on a wrong answer, and lists what is outside", async () => {
  await putChecked("null");
  const ran = await kata(["ledger"]);
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(0);
  const lines = masked(await log()).split("\n");
  expect(lines.filter((line) => line.startsWith("last-measured"))).toMatchSnapshot();
  expect((await kata(["ledger", "--list"])).stdout).toMatchSnapshot();
});

it("says that a claim can't fail, when the wrong answer passes as well", async () => {
  await putChecked("kept");
  const ran = await kata(["ledger", "--quick"]);
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(1);
});

it("refuses a claim about checks and mutants that aren't there", async () => {
  await putChecked("null");
  await put(
    "DATABASE_DECISION_LOG.md",
    CHECKED.replace("[kept]", "[lost]").replace("[forgets]", "[found]"),
  );
  const ran = await kata(["ledger", "--quick"]);
  expect(ran.stderr).toMatchSnapshot();
  expect(ran.code).toBe(2);
});

it("ends with 4 when nothing can be run, and says what it takes", async () => {
  await put("experiments/counted.experiment.ts", NEEDS_ENGINE);
  const ran = await kata(["--quick"], { KATA_ENGINES: "external", KATA_REDIS_URL: "" });
  expect(ran.stdout).toMatchSnapshot();
  expect(ran.code).toBe(4);
});

it.each([
  ["an unknown claim", LOG, ["--claim", "thrice"]],
  ["a predicate that can't be read", LOG.replace("1.5 *", "1.5 x"), []],
  ["a unit that doesn't fit", LOG.replace("1.5 * cost(once)", "5 ms"), []],
  ["an experiment that isn't there", LOG.replace("experiment: counted", "experiment: lost"), []],
])("refuses %s before anything is run", async (_, text, args) => {
  await put("DATABASE_DECISION_LOG.md", text);
  const ran = await kata(args);
  expect(ran.stderr).toMatchSnapshot();
  expect(ran.code).toBe(2);
});

it("says how far it is, and how much time is left at most", () => {
  const at = { claims: 2, done: 5, of: 8 };
  expect(formatMoment("memory", { ...at, leftMs: 192_001 }, 16)).toBe(
    "3/16  memory: turn 5 of 8, at most 3 min 13 s left",
  );
  expect(formatMoment("memory", { ...at, leftMs: -1 }, 16)).toContain("at most 0 min 0 s left");
  const full = { ...at, leftMs: Number.POSITIVE_INFINITY };
  expect(formatMoment("memory", full, 16)).toBe("3/16  memory: turn 5 of 8");
});

it("takes as many turns as it is told", async () => {
  const ran = await kata(["--turns", "5", "--no-write", "--json"]);
  const { claims } = JSON.parse(ran.stdout) as { claims: { finding: { turns: number } }[] };
  expect(claims.map(({ finding }) => finding.turns)).toEqual([5, 5]);
});
