import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineRun, openEngines, processRef } from "@db-katas/engines";
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
    expect(masked(scorecard)).toMatchInlineSnapshot(`
      "  ✓   2/2 <t> s  adding adds · adds
        ✓   1/1 <t> s  it starts where it is told · starts-anywhere

        3 of 3 points  seed 7 · <t> s

      2 passed, 0 failed"
    `);
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
    expect(masked(scorecard)).toMatchInlineSnapshot(`
      "  ✗   0/2 <t> s  adding adds · adds
                and 1 more makes 8
                expected  8
                received  6
                what was done, the last of it:
       <t> ms  a       createNode(…) → undefined  ( <t> ms)
       <t> ms  [step]  add two
       <t> ms  a       add(2) → 7  ( <t> ms)
       <t> ms  a       add(1) → 6  ( <t> ms)
                again  pnpm kata grade counter --check adds --seed 7
        –   0/1 <t> s  it starts where it is told · starts-anywhere skipped (adds did not pass)

        0 of 3 points  seed 7 · <t> s

      0 passed, 1 failed, 1 skipped"
    `);
  });

  it("is a failed check when an operation rejects", async () => {
    const scorecard = await gradeFolder("starter", ["adds"]);
    expect(scorecard.checks[0]?.verdict).toBe("failed");
    expect(scorecard.checks[0]?.failure?.message).toMatchInlineSnapshot(
      `"add() on node a rejected: task 1: add the amount to what was there"`,
    );
  });
});

describe("a submission that breaks is told from one that is wrong", () => {
  it.each([
    ["exits", "crashed"],
    ["loops", "timed out"],
    ["hog", "crashed"],
    ["throws-at-import", "crashed"],
    ["no-default", "crashed"],
    ["babbles", "crashed"],
  ])("%s: %s", async (name, verdict) => {
    const scorecard = await gradeFolder(`broken/${name}`);
    expect(scorecard.checks[0]?.verdict).toBe(verdict);
    expect(exitCodeOf(scorecard)).toBe(3);
    expect(scorecard.checks).toHaveLength(2);
    expect(`${name}: ${scorecard.checks[0]?.failure?.message}`).toMatchSnapshot();
  });

  it("ends what it started, without waiting for the pipes that it handed on", async () => {
    const begin = performance.now();
    const scorecard = await gradeFolder("broken/leaves-a-child", ["adds"]);
    const pid = -Number(scorecard.checks[0]?.failure?.received);
    expect(pid).toBeGreaterThan(0);
    expect(processRef(pid)).toBeUndefined();
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it("says what code that does not compile says", async () => {
    const folder = await mkdtemp(join(tmpdir(), "kata-test-"));
    try {
      await writeFile(join(folder, "index.ts"), "export default { createNode( }");
      const submission = await findSubmission(folder, "draft");
      const scorecard = await grade({ kata, rubric, submission, engines, seed: 7, target: folder });
      expect(scorecard.checks.map((check) => check.verdict)).toEqual(["crashed", "crashed"]);
      expect(formatScorecard(scorecard)).toContain("Unexpected token `}`");
      expect(formatScorecard(scorecard)).toContain(`pnpm exec tsc -p ${folder}`);
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
    await expect(gradeFolder("src", ["nope"])).rejects.toThrowErrorMatchingInlineSnapshot(`
      [GradingError: There is no check called nope.
      Likely cause: the rubric holds adds, starts-anywhere]
    `);
  });

  it("a folder that is no exercise", async () => {
    await expect(loadKata(join(COUNTER, "src"))).rejects.toMatchObject({ code: "KATA_INVALID" });
  });
});

describe("verify", () => {
  it("holds for a grader that catches its mutants, and names a gap", async () => {
    const { results } = await verify({ kata, rubric, engines, seed: 7, concurrency: 1 });
    expect(
      results.map(({ subject, holds, problems }) => ({ subject, holds, problems })),
    ).toMatchInlineSnapshot(`
      [
        {
          "holds": true,
          "problems": [],
          "subject": "coverage",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "types",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "reference",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "starter",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "variant other",
        },
        {
          "holds": false,
          "problems": [
            "adds passed, though it must fail",
          ],
          "subject": "mutant blameless",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "mutant forgets",
        },
        {
          "holds": true,
          "problems": [],
          "subject": "mutant stuck",
        },
      ]
    `);
  });
});
