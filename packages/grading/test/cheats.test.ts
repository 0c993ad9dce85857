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
import { CHEATS, type Cheat, formatTable } from "./cheats/cheats.ts";

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

async function tryOut(cheat: Cheat, isolated: boolean): Promise<void> {
  const { verdict, failure } = await verdictOf(cheat.name, cheat.check, isolated);
  const mode = isolated ? "isolated" : "byDefault";
  const wanted = cheat[mode];
  const caught = wanted !== "not caught" && wanted !== "ended";
  expect(verdict, failure?.message).toBe(caught ? wanted : "passed");
  if (caught) expect(failure?.message).toContain(cheat.says[mode]);
}

/** Those that are waited for are all waited for at once: what limits them is a clock. */
function apart(mode: "byDefault" | "isolated", run: (cheat: Cheat) => Promise<void>): void {
  const tried = CHEATS.filter((cheat) => cheat[mode] !== "not tried");
  const late = tried.filter((cheat) => cheat[mode] === "timed out");
  it.concurrent.each(late)(`$name: $${mode}`, run);
  it.each(tried.filter((cheat) => !late.includes(cheat)))(`$name: $${mode}`, run);
}

describe("by default", () => apart("byDefault", (cheat) => tryOut(cheat, false)));

describe("isolated", () =>
  apart("isolated", async (cheat) => {
    // A machine that can't isolate says so, and nothing weaker is graded in its place.
    if (refusal) expect(refusal).toContain("can't be isolated");
    else await tryOut(cheat, true);
  }));

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
