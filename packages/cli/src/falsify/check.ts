import { join } from "node:path";
import {
  composeMutant,
  findSubmission,
  grade,
  type Kata,
  onlyThese,
  type Rubric,
  type Scorecard,
  type Submission,
} from "@db-katas/grading";
import { captureEnvironment, checked, type Finding, type HistoryEntry } from "@db-katas/measure";
import { CliError } from "../errors.ts";
import type { Session } from "../session.ts";
import type { Bound } from "./logs.ts";

/** How often the reference is asked, each time with another seed. */
const RUNS = { full: 3, quick: 1 };
/** How often a wrong answer is asked until it fails: some do in most races, and not in each. */
const TRIES = 3;

export interface CheckRun extends Pick<Session, "engines" | "signal" | "compileCache"> {
  readonly size: HistoryEntry["size"];
  readonly seed: number;
  /** Whether the claim has had its share of the time: then the first wrong answer has to do. */
  isLate(): boolean;
  /** Told after each run of the checks; wrong answers that fail at once make it fewer than announced. */
  onRun(done: number, of: number): void;
}

type Checkable = Extract<Bound, { readonly rubric: Rubric }>;

/**
 * Runs a claim's checks on the reference, and on each wrong answer that shows that they can fail.
 * @throws CliError `CHECK_ERRED`
 */
export async function runChecks(bound: Checkable, run: CheckRun): Promise<Finding> {
  const { kata, claim, mutants } = bound;
  const { id, checks: ids } = claim.fields;
  const rubric = onlyThese(bound.rubric, ids);
  const runs = RUNS[run.size];
  const of = runs + mutants.length;
  const cards: Scorecard[] = [];
  const gradeNow = async (submission: Submission, target: string, nth: number) => {
    const seed = run.seed + nth;
    const { engines, signal, compileCache } = run;
    const common = { kata, engines, signal, compileCache };
    const card = await grade({ ...common, rubric, submission, target, seed });
    cards.push(card);
    const erred = card.checks.find(({ verdict }) => verdict === "error");
    if (erred) throw checkErred(kata, id, erred);
    return card;
  };

  const reference = await findSubmission(join(kata.folder, "src"), "reference");
  for (let nth = 0; nth < runs; nth++) {
    const card = await gradeNow(reference, `${kata.name} --reference`, nth);
    const missing = card.checks.find(({ verdict }) => verdict === "not graded");
    if (missing) return { id, verdict: "not run", needs: missing.reason ?? missing.id };
    run.onRun(nth + 1, of);
  }
  const ofReference = cards.slice();
  const told: { name: string; failed?: string }[] = [];
  for (const mutant of mutants) {
    if (told.length > 0 && run.isLate()) break;
    const wrong = await composeMutant(kata, mutant);
    let failed: string | undefined;
    for (let nth = 0; nth < TRIES && failed === undefined; nth++) {
      const card = await gradeNow(wrong, `${kata.name} --mutant ${mutant.name}`, nth);
      failed = card.checks.find(({ verdict }) => verdict !== "passed")?.id;
    }
    told.push({ name: mutant.name, ...(failed === undefined ? {} : { failed }) });
    run.onRun(runs + told.length, of);
  }
  return checked({
    id,
    checks: rubric.map((check) => ({
      id: check.id,
      passed: ofReference.filter((card) => passedIn(card, check.id)).length,
      of: ofReference.length,
    })),
    mutants: told,
    untried: mutants.slice(told.length).map(({ name }) => name),
    environment: await captureEnvironment(
      Object.fromEntries(
        ofReference.flatMap(({ engines }) => engines).map((each) => [each.name, each]),
      ),
    ),
  });
}

function passedIn({ checks }: Scorecard, id: string): boolean {
  return checks.some((check) => check.id === id && check.verdict === "passed");
}

function checkErred(
  kata: Kata,
  claim: string,
  { id, failure, replay }: Scorecard["checks"][number],
) {
  const happened = `${claim}: the check ${id} of ${kata.name} could not be run: ${failure?.message ?? "an error"}`;
  return new CliError("CHECK_ERRED", happened, {
    likelyCause: "a fault of the grader, or of this machine",
    remedy: replay,
  });
}
