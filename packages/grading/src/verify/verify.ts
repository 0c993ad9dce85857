import { join } from "node:path";
import type { EngineRun } from "@db-katas/engines";
import { GradingError } from "../errors.ts";
import { type Kata, messageOf } from "../kata.ts";
import { type CheckResult, pointsOf, type Scorecard } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import { grade } from "../run/grade.ts";
import { Turns } from "../run/turns.ts";
import { seedFor } from "../seed.ts";
import { bundleLibraries } from "./bundle.ts";
import { deviation, expected, gaps } from "./judge.ts";
import { loadVariants } from "./manifest.ts";
import { leftOut, meetings } from "./meets.ts";
import { loadSubjects, type Subject } from "./subjects.ts";
import { typeErrors } from "./types.ts";
import { staleMatrix, warningsOf } from "./warnings.ts";

/** One thing that must be true of the grader, and whether it is. */
export interface VerifyResult {
  /** `reference`, `starter`, `variant x`, `mutant y`, `coverage`, `types`. */
  readonly subject: string;
  readonly expectation: string;
  readonly holds: boolean;
  /** Set when a check that it takes could not run here: neither held nor broken. */
  readonly notGraded?: string;
  /** What came back instead; empty when it holds. */
  readonly problems: readonly string[];
  /** The time of its checks, added up. */
  readonly durationMs: number;
  /** Set for a mutant that was not repeated: how often it was tried until it was caught, at most 3. */
  readonly tries?: number;
}

/** A subject and its scorecards, one for each repetition. */
export interface GradedSubject {
  readonly subject: Subject;
  readonly scorecards: readonly Scorecard[];
}

export interface Verification {
  readonly results: readonly VerifyResult[];
  /** What is true of the grader, and yet not as its author will want it: a line each. */
  readonly warnings: readonly string[];
  readonly graded: readonly GradedSubject[];
  /** Labels of the mutants that met no check, because the seed drew others. */
  readonly notDrawn: readonly string[];
}

export interface VerifyOptions {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly engines: EngineRun;
  readonly seed: number;
  /** Whom to verify. Default: everybody. Coverage is always verified. */
  readonly choose?: (
    subjects: readonly Subject[],
  ) => readonly Subject[] | Promise<readonly Subject[]>;
  /** Ids of the only checks to run. Default: all. */
  readonly checks?: readonly string[] | undefined;
  /** Mutants meet every check, not only those that they must fail. */
  readonly full?: boolean;
  /** How many variants a check meets, drawn by the seed. Default: all of them. */
  readonly variantsPerCheck?: number | undefined;
  /**
   * How many of the mutants that it must fail a check meets, drawn by the seed. Default: all of them.
   * All are type-checked in any case.
   */
  readonly mutantsPerCheck?: number | undefined;
  /** Whether the exercise is type-checked as well. Default true. */
  readonly types?: boolean;
  /** Whether a kill matrix in the README that is out of date is a problem, and no warning. */
  readonly strict?: boolean;
  /** How often each check is run, each time with a seed of its own. Default 1. */
  readonly repeat?: number;
  readonly compileCache?: string | undefined;
  /**
   * Checks at the same moment; at most two that measure time, with no others. Default
   * {@link VERIFY_CONCURRENCY}, and up to {@link VERIFY_CONCURRENCY_IDLE} while cores are idle.
   */
  readonly concurrency?: number | undefined;
  readonly onProgress?: (done: number, total: number, text: string) => void;
  readonly onResult?: (result: VerifyResult) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How often a mutant may get past what it must fail, when nothing is to be repeated. On a busy machine
 * a wrong answer gives up on a store now and then, just when it would have been caught trusting it.
 * Whoever wants to know how often repeats.
 */
const MUTANT_TRIES = 3;

/** Checks wait more than they work: with three at a time, two cores are busy for most of the time. */
export const VERIFY_CONCURRENCY = 3;
export const VERIFY_CONCURRENCY_IDLE = 7;
/** Two that hardly work leave each other a core each. */
const VERIFY_TIMING_CONCURRENCY = 2;

/**
 * Grades the grader: the reference and every variant get full marks, the starter fails every check
 * with a message of its own tasks, every mutant fails all checks that it must, and every check has
 * a mutant that must fail it. With `full`, no mutant fails a check that it neither must nor may.
 */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { kata, rubric, repeat = 1, signal } = options;
  const all = await loadSubjects(kata, rubric);
  const chosen = options.choose ? await options.choose(all) : all;
  const mutants = all.flatMap(({ mutant }) => mutant ?? []);
  const concurrency = options.concurrency ?? VERIFY_CONCURRENCY;
  const most = options.concurrency ?? VERIFY_CONCURRENCY_IDLE;
  const timing = Math.min(concurrency, VERIFY_TIMING_CONCURRENCY);
  using turns = new Turns({ concurrency, most, timing });
  const announce = (result: VerifyResult) => {
    options.onResult?.(result);
    return result;
  };
  const work = meetings(chosen, options);
  let total = work.reduce((sum, { checks }) => sum + checks.length * repeat, 0);
  let done = 0;

  const resolutions = join(options.engines.folder, `resolutions-${kata.name}.json`);
  await bundleLibraries(kata, resolutions);
  const gradeOnce = async (subject: Subject, checks: Rubric, order: number, repetition: number) =>
    grade({
      kata,
      rubric: checks,
      submission: await subject.open(),
      engines: options.engines,
      seed: seedOfRepetition(options.seed, repetition),
      concurrency: most,
      turn: turns.at(order * repeat + repetition),
      target: subject.target,
      compileCache: options.compileCache,
      resolutions,
      onStart: (check) => options.onProgress?.(done, total, `${subject.label}: ${check.id}`),
      onResult: () => {
        done++;
      },
      signal,
    });

  const coverage = announce(
    resultOf("coverage", "every check has a mutant that must fail it", gaps(rubric, mutants), 0),
  );
  const stale = await staleMatrix(kata, rubric, mutants);
  const strictly = options.strict && stale !== undefined;
  const readme = strictly
    ? [announce(resultOf("readme", "its kill matrix is of what there is", [stale], 0))]
    : [];
  const types =
    options.types === false
      ? undefined
      : turns
          .at(-1)(false, () => verifyTypes(kata, all))
          .then(announce);
  const gradeAgain = async (subject: Subject, checks: Rubric, order: number) => {
    const scorecards = [await gradeOnce(subject, checks, order, 0)];
    let left = survived(subject, checks, scorecards[0]);
    while (left.length > 0 && scorecards.length < MUTANT_TRIES) {
      total += left.length;
      const next = await gradeOnce(subject, left, order, scorecards.length);
      scorecards.push(next);
      left = survived(subject, left, next);
    }
    return scorecards;
  };
  const grades = work.map(async ({ subject, checks }, order) => {
    const unfit = await staleness(subject);
    if (unfit) return { graded: { subject, scorecards: [] }, result: announce(unfit) };
    if (repeat === 1 && subject.mutant) {
      const tries = await gradeAgain(subject, checks, order);
      const scorecard = lastOfEach(tries);
      const result = { ...judge(subject, [scorecard]), tries: tries.length };
      return { graded: { subject, scorecards: [scorecard] }, result: announce(result) };
    }
    const scorecards = await Promise.all(
      Array.from({ length: repeat }, (_, repetition) =>
        gradeOnce(subject, checks, order, repetition),
      ),
    );
    return { graded: { subject, scorecards }, result: announce(judge(subject, scorecards)) };
  });
  // Settled first: what is under way when something breaks must not outlive this call.
  await Promise.allSettled([types, ...grades]);
  const graded = await Promise.all(grades);
  return {
    results: [
      coverage,
      ...readme,
      ...(types ? [await types] : []),
      ...graded.map(({ result }) => result),
    ],
    warnings: [
      ...(await warningsOf(kata, await loadVariants(kata))),
      ...(stale !== undefined && !strictly ? [stale] : []),
    ],
    graded: graded.map((each) => each.graded),
    notDrawn: options.mutantsPerCheck === undefined ? [] : leftOut(chosen, work),
  };
}

/** A mutant that can't be made proves nothing; the others are graded all the same. */
async function staleness(subject: Subject): Promise<VerifyResult | undefined> {
  try {
    await subject.open();
    return undefined;
  } catch (error) {
    if (!(error instanceof GradingError && error.code === "PATCH_STALE")) throw error;
    return resultOf(subject.label, subject.expectation, [error.message], 0);
  }
}

/** The checks that a mutant got past, though it must fail them. */
function survived(subject: Subject, checks: Rubric, scorecard: Scorecard | undefined): Rubric {
  const passed = scorecard?.checks.filter(({ verdict }) => verdict === "passed") ?? [];
  return checks
    .filter(({ id }) => passed.some((check) => check.id === id))
    .filter(({ id }) => expected(subject, id) === "fail");
}

/** The first scorecard, with what later ones say of its checks. */
function lastOfEach(scorecards: readonly Scorecard[]): Scorecard {
  const [first, ...later] = scorecards as [Scorecard, ...Scorecard[]];
  const checks = first.checks.map(
    (check) =>
      later.flatMap(({ checks }) => checks.filter(({ id }) => id === check.id)).at(-1) ?? check,
  );
  return { ...first, checks, points: pointsOf(checks) };
}

/** The first repetition has the run's own seed. */
export function seedOfRepetition(seed: number, repetition: number): number {
  return repetition === 0 ? seed : seedFor(seed, `repetition ${repetition}`);
}

async function verifyTypes(kata: Kata, subjects: readonly Subject[]): Promise<VerifyResult> {
  const begin = performance.now();
  const mutants = subjects.filter(({ kind }) => kind === "mutant");
  const opened = await Promise.allSettled(mutants.map((each) => each.open()));
  const composed = opened.flatMap((each) => (each.status === "fulfilled" ? each.value : []));
  const unmade = opened.flatMap((each) =>
    each.status === "rejected" ? messageOf(each.reason) : [],
  );
  const problems = [...unmade, ...((await typeErrors(kata, composed)) ?? [])];
  const expectation = "reference, starter, variants and mutants type-check";
  return resultOf("types", expectation, problems, performance.now() - begin);
}

function judge(subject: Subject, scorecards: readonly Scorecard[]): VerifyResult {
  const checks = scorecards.flatMap((scorecard) => scorecard.checks);
  const problems = new Set(checks.flatMap((check) => deviation(subject, check) ?? []));
  const durationMs = checks.reduce((sum, check) => sum + check.durationMs, 0);
  return {
    ...resultOf(subject.label, subject.expectation, [...problems], durationMs),
    ...notGradedOf(checks),
  };
}

function resultOf(
  subject: string,
  expectation: string,
  problems: readonly string[],
  durationMs: number,
): VerifyResult {
  return { subject, expectation, holds: problems.length === 0, problems, durationMs };
}

function notGradedOf(checks: readonly CheckResult[]): { notGraded?: string } {
  const check = checks.find(({ verdict }) => verdict === "not graded");
  return check ? { notGraded: `${check.id}: ${check.reason}` } : {};
}
