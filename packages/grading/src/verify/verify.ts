import { join } from "node:path";
import type { EngineRun } from "@db-katas/engines";
import PQueue from "p-queue";
import type { Kata } from "../kata.ts";
import type { CheckResult, Scorecard } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import { grade } from "../run/grade.ts";
import { findSubmission, type Submission } from "../submission/submission.ts";
import { loadMutants, loadVariants, type Mutant } from "./manifest.ts";
import { composeMutant } from "./overlay.ts";
import { typeErrors } from "./types.ts";

/** One thing that must be true of the grader, and whether it is. */
export interface VerifyResult {
  /** `reference`, `starter`, `variant x`, `mutant y`, `coverage`. */
  readonly subject: string;
  readonly expectation: string;
  readonly holds: boolean;
  /** Set when a check that it takes could not run here: neither held nor broken. */
  readonly notGraded?: string;
  /** What came back instead; empty when it holds. */
  readonly problems: readonly string[];
  readonly durationMs: number;
  readonly scorecard?: Scorecard;
}

export interface VerifyOptions {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly engines: EngineRun;
  readonly seed: number;
  readonly compileCache?: string | undefined;
  /** Checks of one submission at the same moment. */
  readonly concurrency?: number;
  readonly onStart?: (subject: string) => void;
  readonly onResult?: (result: VerifyResult) => void;
  readonly signal?: AbortSignal | undefined;
}

type Judged = Pick<VerifyResult, "problems"> & { notGraded?: string; scorecard?: Scorecard };

/**
 * Grades the grader, in quick mode: the reference and every variant get full marks, the starter
 * fails every check with a message of its own tasks, every mutant fails all checks that it must,
 * and every check has a mutant that must fail it.
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult[]> {
  const { kata, rubric } = options;
  const [mutants, variants] = await Promise.all([loadMutants(kata, rubric), loadVariants(kata)]);
  const results: VerifyResult[] = [];
  const judge = async (subject: string, expectation: string, work: () => Promise<Judged>) => {
    options.signal?.throwIfAborted();
    options.onStart?.(subject);
    const begin = performance.now();
    const judged = await work();
    const result: VerifyResult = {
      subject,
      expectation,
      holds: judged.problems.length === 0,
      durationMs: performance.now() - begin,
      ...judged,
    };
    results.push(result);
    options.onResult?.(result);
  };
  const { engines, seed, compileCache, concurrency = 2, signal } = options;
  const shared = { kata, rubric, engines, seed, compileCache, concurrency, signal };
  const gradeThis = (submission: Submission, flag: string) =>
    grade({ ...shared, submission, target: `${kata.name} ${flag}` });
  // A mutant runs the few checks that it must fail, one by one; several mutants run side by side.
  const mutantQueue = new PQueue({ concurrency });
  const gradeMutant = async (mutant: Mutant) =>
    grade({
      ...shared,
      concurrency: 1,
      submission: await composeMutant(kata, mutant),
      only: mutant.must,
      alone: true,
      target: `${kata.name} --mutant ${mutant.name}`,
    });

  await judge("coverage", "every check has a mutant that must fail it", async () =>
    judgeCoverage(rubric, mutants),
  );
  await judge("types", "reference, starter, variants and mutants type-check", async () => ({
    problems: (await typeErrors(kata, await composeAll(kata, mutants))) ?? [],
  }));
  await judge("reference", "gets full marks", async () =>
    judgeRight(
      await gradeThis(await findSubmission(join(kata.folder, "src"), "reference"), "--reference"),
    ),
  );
  await judge("starter", "fails every check with a message of its own tasks", async () =>
    judgeStarter(
      await gradeThis(await findSubmission(join(kata.folder, "starter"), "starter"), "--starter"),
    ),
  );
  for (const { name, folder } of variants) {
    await judge(`variant ${name}`, "gets full marks", async () =>
      judgeRight(
        await gradeThis(await findSubmission(folder, `variant ${name}`), `--variant ${name}`),
      ),
    );
  }
  await mutantQueue.addAll(
    mutants.map(
      (mutant) => () =>
        judge(`mutant ${mutant.name}`, `fails ${mutant.must.join(", ")}`, async () =>
          judgeMutant(mutant, await gradeMutant(mutant)),
        ),
    ),
  );
  return results;
}

async function composeAll(kata: Kata, mutants: readonly Mutant[]): Promise<Submission[]> {
  return Promise.all(mutants.map((mutant) => composeMutant(kata, mutant)));
}

function judgeCoverage(rubric: Rubric, mutants: readonly Mutant[]): Judged {
  const killed = new Set(mutants.flatMap((mutant) => mutant.must));
  const traps = new Set(mutants.map((mutant) => mutant.trap));
  return {
    problems: [
      ...rubric
        .filter((check) => !killed.has(check.id))
        .map((check) => `no mutant must fail ${check.id}: nothing shows that it can fail`),
      ...rubric
        .flatMap((check) => check.traps ?? [])
        .filter((trap) => !traps.has(trap))
        .map((trap) => `no mutant falls into the trap ${trap}`),
    ],
  };
}

function notGradedOf(scorecard: Scorecard): { notGraded?: string } {
  const check = scorecard.checks.find(({ verdict }) => verdict === "not graded");
  return check ? { notGraded: `${check.id}: ${check.reason}` } : {};
}

function judgeRight(scorecard: Scorecard): Judged {
  const wrong = scorecard.checks.filter(
    ({ verdict }) => verdict !== "passed" && verdict !== "not graded",
  );
  return { scorecard, problems: wrong.map(problemOf), ...notGradedOf(scorecard) };
}

function judgeStarter(scorecard: Scorecard): Judged {
  const problems = scorecard.checks.flatMap((check) => {
    if (check.verdict === "skipped" || check.verdict === "not graded") return [];
    if (check.verdict !== "failed") return [problemOf(check)];
    return /task \d+/i.test(check.failure?.message ?? "")
      ? []
      : [`${check.id} fails without naming a task: ${check.failure?.message}`];
  });
  return { scorecard, problems, ...notGradedOf(scorecard) };
}

/** A crash or a time-out counts as caught as well: a wrong answer may take its node with it. */
const CAUGHT: readonly CheckResult["verdict"][] = ["failed", "crashed", "timed out"];

function judgeMutant(mutant: Mutant, scorecard: Scorecard): Judged {
  const allowed = new Set([...mutant.must, ...mutant.may]);
  const problems = scorecard.checks.flatMap((check) => {
    if (check.verdict === "not graded") return [];
    if (check.verdict === "error") return [problemOf(check)];
    if (mutant.must.includes(check.id)) {
      return CAUGHT.includes(check.verdict)
        ? []
        : [`${check.id} ${check.verdict}, though it must fail`];
    }
    return CAUGHT.includes(check.verdict) && !allowed.has(check.id)
      ? [`${problemOf(check)}, though it neither must nor may fail`]
      : [];
  });
  return { scorecard, problems, ...notGradedOf(scorecard) };
}

function problemOf(check: CheckResult): string {
  const { failure } = check;
  const versus = failure?.expected
    ? ` (expected ${failure.expected}, received ${failure.received})`
    : "";
  return `${check.id} ${check.verdict}: ${failure?.message ?? check.reason ?? ""}${versus}; again: ${check.replay}`;
}
