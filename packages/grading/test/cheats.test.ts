import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CheckResult,
  findSubmission,
  grade,
  type Kata,
  loadKata,
  loadRubric,
  type Rubric,
} from "../src/index.ts";
import { CHEATS, formatTable } from "./cheats/cheats.ts";

const FOLDER = join(import.meta.dirname, "cheats");
const DOC = join(import.meta.dirname, "..", "..", "..", "docs", "threat-model.md");

let engines: EngineRun;
let kata: Kata;
let rubric: Rubric;
let refusal: string | undefined;

async function verdictOf(folder: string, check: string, isolated: boolean): Promise<CheckResult> {
  const submission = await findSubmission(join(FOLDER, folder), folder);
  const options = { kata, rubric, submission, engines, seed: 7, target: "cheats" };
  const { checks } = await grade({ ...options, only: [check], isolated });
  return checks[0] as CheckResult;
}

beforeAll(async () => {
  engines = await openEngines();
  kata = await loadKata(FOLDER);
  rubric = await loadRubric(kata);
  refusal = await verdictOf("src", "knows", true).then(
    () => undefined,
    (error: Error) => error.message,
  );
});
afterAll(async () => {
  await engines[Symbol.asyncDispose]();
  await rm(join(tmpdir(), "kata-cheat-store"), { force: true });
  await rm(join(tmpdir(), ".kata"), { recursive: true, force: true });
  await rm(join(FOLDER, "forged-report", ".kata"), { recursive: true, force: true });
});

it("an honest answer passes, isolated or not", async (context) => {
  for (const check of ["meets", "knows"]) {
    expect(await verdictOf("src", check, false)).toMatchObject({ verdict: "passed" });
  }
  if (refusal) context.skip(refusal);
  for (const check of ["meets", "knows"]) {
    expect(await verdictOf("src", check, true)).toMatchObject({ verdict: "passed" });
  }
});

const MODES = { byDefault: "by default", isolated: "isolated" } as const;
const tried = (Object.keys(MODES) as (keyof typeof MODES)[]).flatMap((mode) =>
  CHEATS.filter((cheat) => cheat[mode] !== "not tried").map((cheat) => {
    const outcome = cheat[mode];
    return { cheat, mode, outcome, title: `${cheat.name}, ${MODES[mode]}: ${outcome}` };
  }),
);
const late = tried.filter(({ outcome }) => outcome === "timed out");

async function tryOut({ cheat, mode, outcome }: (typeof tried)[number]): Promise<void> {
  const isolated = mode === "isolated";
  // A machine that can't isolate says so, and nothing weaker is graded in its place.
  if (isolated && refusal) return expect(refusal).toContain("can't be isolated");
  const { verdict, failure } = await verdictOf(cheat.name, cheat.check, isolated);
  const caught = outcome !== "not caught" && outcome !== "ended";
  expect(verdict, failure?.message).toBe(caught ? outcome : "passed");
  if (caught) expect(failure?.message).toContain(cheat.says[mode]);
}

describe("those that are waited for, all at once: what limits them is a clock", () => {
  it.concurrent.each(late)("$title", tryOut);
});

describe("the others, one after another", () => {
  it.each(tried.filter((one) => !late.includes(one)))("$title", tryOut);
});

it("who goes around the proxy is told why that was not graded", async () => {
  const { failure } = await verdictOf("around-the-proxy", "knows", false);
  const { message, expected, received, detail } = failure ?? {};
  expect({ message, expected, received, detail }).toMatchInlineSnapshot(`
    {
      "detail": [
        "Faults in the network happen in that proxy: what goes around it is not what was asked for.",
        "What to do: use the address in the node's configuration as it is, and no port that the server tells.",
        "If it was you, with a client of your own: connect after the check, with \`pnpm kata grade … --keep\`.",
      ],
      "expected": "only connections to the address that the node was given",
      "message": "DIRECT_CONNECTION: redis was reached around the node's proxy",
      "received": "a connection straight to the server",
    }
  `);
});

it("nothing that a cheat started is left", () => {
  const commands = existsSync("/proc") ? readdirSync("/proc").map(commandOf) : [];
  const left = commands.filter((command) => command.startsWith("sleep\0" + "31337"));
  expect(left).toEqual([]);
});

it("each cheat is in the table, and the table is in the threat model", async () => {
  const entries = await readdir(FOLDER, { withFileTypes: true });
  const folders = entries.filter((each) => each.isDirectory()).map(({ name }) => name);
  const known = [...CHEATS.map(({ name }) => name), "grading", "src"];
  expect(folders.filter((name) => !name.startsWith(".")).sort()).toEqual(known.sort());
  const [table] = /^\| what it tries .*\n(\|.*\n)+/m.exec(readFileSync(DOC, "utf8")) ?? [];
  expect(table?.trimEnd()).toBe(formatTable());
});

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
