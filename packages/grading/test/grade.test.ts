import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  exitCodeOf,
  findSubmission,
  formatScorecard,
  grade,
  type Kata,
  loadKata,
  loadRubric,
  type Rubric,
  type Scorecard,
  scorecardSchema,
  verify,
} from "../src/index.ts";

const COUNTER = join(import.meta.dirname, "fixtures", "counter");

let engines: EngineRun;
let kata: Kata;
let rubric: Rubric;
beforeAll(async () => {
  engines = await openEngines();
  kata = await loadKata(COUNTER);
  rubric = await loadRubric(kata);
});
afterAll(() => engines[Symbol.asyncDispose]());

async function gradeFolder(folder: string, only?: string[]): Promise<Scorecard> {
  const submission = await findSubmission(join(COUNTER, folder), folder);
  return grade({ kata, rubric, submission, engines, seed: 7, target: "counter", only });
}

/** Times, stacks and paths differ from machine to machine. */
function masked(scorecard: Scorecard): string {
  return formatScorecard(scorecard)
    .replaceAll(COUNTER, "<counter>")
    .replaceAll(/ *\d+\.\d s/g, " <t> s")
    .replaceAll(/ *\d+ ms/g, " <t> ms")
    .split("\n")
    .filter((line) => !/^\s+at /.test(line))
    .join("\n");
}

describe("a right answer", () => {
  it("gets full marks, in a report that fits its schema", async () => {
    const scorecard = await gradeFolder("src");
    expect(scorecard.points).toEqual({ earned: 3, possible: 3, total: 3 });
    expect(exitCodeOf(scorecard)).toBe(0);
    expect(scorecardSchema.parse(scorecard)).toEqual(scorecard);
    expect(masked(scorecard)).toMatchInlineSnapshot();
  });

  it("runs what a chosen check depends on, and nothing else", async () => {
    const scorecard = await gradeFolder("src", ["adds"]);
    expect(scorecard.checks.map((check) => check.id)).toEqual(["adds"]);
    const both = await gradeFolder("src", ["starts-anywhere"]);
    expect(both.checks.map((check) => check.id)).toEqual(["adds", "starts-anywhere"]);
  });
});

describe("a wrong answer", () => {
  it("says what was done, what was expected, what came back, and how to see it again", async () => {
    const scorecard = await gradeFolder("mutants/forgets");
    expect(exitCodeOf(scorecard)).toBe(1);
    expect(scorecard.checks.map((check) => check.verdict)).toEqual(["failed", "skipped"]);
    expect(scorecard.checks[0]?.hints).toEqual(["Add.", "The seed was positive."]);
    expect(masked(scorecard)).toMatchInlineSnapshot();
  });

  it("is a failed check when an operation rejects", async () => {
    const scorecard = await gradeFolder("starter", ["adds"]);
    expect(scorecard.checks[0]?.verdict).toBe("failed");
    expect(scorecard.checks[0]?.failure?.message).toMatchInlineSnapshot();
  });
});

describe("a submission that breaks is told from one that is wrong", () => {
  it.each([
    ["exits", "crashed"],
    ["loops", "timed out"],
    ["hog", "crashed"],
    ["throws-at-import", "crashed"],
    ["no-default", "crashed"],
  ])("%s: %s", async (name, verdict) => {
    const scorecard = await gradeFolder(`broken/${name}`);
    expect(scorecard.checks[0]?.verdict).toBe(verdict);
    expect(exitCodeOf(scorecard)).toBe(3);
    expect(scorecard.checks).toHaveLength(2);
    expect(`${name}: ${scorecard.checks[0]?.failure?.message}`).toMatchSnapshot();
  });

  it("says what code that does not compile says", async () => {
    const folder = await mkdtemp(join(tmpdir(), "db-katas-test-"));
    try {
      await writeFile(join(folder, "index.ts"), "export default { createNode( }");
      const submission = await findSubmission(folder, "draft");
      const scorecard = await grade({ kata, rubric, submission, engines, seed: 7, target: folder });
      expect(scorecard.checks.map((check) => check.verdict)).toEqual(["crashed", "crashed"]);
      expect(formatScorecard(scorecard)).toContain("createNode( }");
      expect(exitCodeOf(scorecard)).toBe(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("bad input", () => {
  it("a folder without index.ts", async () => {
    await expect(findSubmission(tmpdir(), "tmp")).rejects.toMatchObject({
      code: "SUBMISSION_NOT_FOUND",
    });
  });

  it("an unknown check", async () => {
    await expect(gradeFolder("src", ["nope"])).rejects.toThrowErrorMatchingInlineSnapshot();
  });

  it("a folder that is no exercise", async () => {
    await expect(loadKata(join(COUNTER, "src"))).rejects.toMatchObject({ code: "KATA_INVALID" });
  });
});

describe("verify", () => {
  it("holds for a grader that catches its mutants, and names a gap", async () => {
    const results = await verify({ kata, rubric, engines, seed: 7 });
    expect(
      results.map(({ subject, holds, problems }) => ({ subject, holds, problems })),
    ).toMatchInlineSnapshot();
  });
});
