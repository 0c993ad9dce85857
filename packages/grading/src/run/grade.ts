import { join } from "node:path";
import type { EngineRun, RunningEngine } from "@db-katas/engines";
import PQueue from "p-queue";
import type { Check } from "../check.ts";
import type { Kata } from "../kata.ts";
import { type CheckResult, pointsOf, type Scorecard } from "../report/scorecard.ts";
import { type Rubric, withDependencies } from "../rubric.ts";
import { Isolation } from "../submission/isolation/isolation.ts";
import { fingerprint, type Submission } from "../submission/submission.ts";
import {
  CheckFailure,
  SubmissionCrashed,
  SubmissionError,
  SubmissionTimedOut,
} from "../verdict.ts";
import type { HeldCheck } from "./hold.ts";
import { load, unavailability } from "./preflight.ts";
import { runCheck } from "./run-check.ts";
import { Spare } from "./spawn.ts";
import type { Turn } from "./turns.ts";

export interface GradeOptions {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly submission: Submission;
  readonly engines: EngineRun;
  readonly seed: number;
  /** Ids of the checks to run; what they depend on runs too. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Checks that may run at the same moment; those that measure time run alone. Default 3. */
  readonly concurrency?: number;
  /** Whose turn it is among several grades on one machine. Default: this grade's own. */
  readonly turn?: Turn;
  /** How people name this submission to `kata grade`. */
  readonly target: string;
  /** A folder where Node may keep compiled code. */
  readonly compileCache?: string | undefined;
  /** A file where app nodes keep what imports resolve to. Default: one for this grade. */
  readonly resolutions?: string | undefined;
  /** Shut the submission off from this machine, or refuse. */
  readonly isolated?: boolean | undefined;
  readonly onStart?: (check: Check) => void;
  readonly onResult?: (result: CheckResult) => void;
  /**
   * Called for a check that did not pass, before anything of it is given back. Until it resolves,
   * no other check runs.
   */
  readonly hold?: ((held: HeldCheck) => Promise<void>) | undefined;
  /** The app nodes of that check wait for a debugger, and it has no time limits. */
  readonly inspect?:
    | { readonly check: string; onInspector(node: string, url: string): void }
    | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Grades one submission. Every check of the rubric is accounted for in the result. */
export async function grade(options: GradeOptions): Promise<Scorecard> {
  const { kata, submission, engines, seed } = options;
  const begin = performance.now();
  const startedAt = new Date().toISOString();
  const rubric = options.only ? withDependencies(options.rubric, options.only) : options.rubric;
  const met = new Map<string, Scorecard["engines"][number]>();
  const isolation = options.isolated
    ? await Isolation.open(join(engines.folder, `isolated-${process.hrtime.bigint()}`), {
        submission,
        exercise: kata.folder,
      })
    : undefined;
  const base = {
    isolation,
    kata,
    submission,
    engines,
    runSeed: seed,
    fingerprint: await fingerprint(submission),
    compileCache: options.compileCache ?? join(engines.folder, "compile-cache"),
    // For this grade only: until the next one, packages may come and go.
    resolutions:
      options.resolutions ?? join(engines.folder, `resolutions-${process.hrtime.bigint()}.json`),
    onEngine: ({ name, version, provider, source }: RunningEngine) =>
      met.set(name, { name, version, provider, source }),
  };

  const results = new Map<string, CheckResult>();
  const finish = (result: CheckResult) => {
    results.set(result.id, result);
    options.onResult?.(result);
  };
  const replayOf = (check: Check) =>
    `pnpm kata grade ${options.target} --check ${check.id} --seed ${seed}`;

  const turn: Turn = options.turn ?? ((_, work) => work());
  const { process: loaded, failure: broken } = await turn(false, () => load(base));
  await using spare = new Spare(loaded);
  const unavailable = broken ? new Map<string, string>() : await unavailability(rubric, engines);

  const runOne = async (check: Check) => {
    options.signal?.throwIfAborted();
    const blocked = check.dependsOn?.find((id) => results.get(id)?.verdict !== "passed");
    const missing = unavailable.get(check.id);
    if (broken) finish({ ...blank(check, replayOf(check)), ...broken });
    else if (missing !== undefined) {
      finish({ ...blank(check, replayOf(check)), verdict: "not graded", reason: missing });
    } else if (blocked) {
      const verdict = results.get(blocked)?.verdict;
      finish({
        ...blank(check, replayOf(check)),
        verdict: verdict === "not graded" ? "not graded" : "skipped",
        reason: `${blocked} ${verdict === "not graded" ? "was not graded" : "did not pass"}`,
      });
    } else {
      await turn(check.timing === true, async () => {
        options.signal?.throwIfAborted();
        options.onStart?.(check);
        const { hold, inspect } = options;
        const onInspector = inspect?.check === check.id ? inspect.onInspector : undefined;
        const replay = replayOf(check);
        finish(await runCheck(check, { ...base, spare, replay, hold, onInspector }));
      });
    }
  };

  using _guard = tolerateAbandonedCalls();
  await runInOrder(
    rubric.filter((check) => !check.timing),
    options.hold || options.inspect ? 1 : (options.concurrency ?? 3),
    runOne,
  );
  await runInOrder(
    rubric.filter((check) => check.timing),
    1,
    runOne,
  );

  const checks = rubric.map((check) => {
    const result = results.get(check.id);
    if (!result) throw new Error(`The check ${check.id} is not accounted for.`);
    return result;
  });
  return {
    schemaVersion: 1,
    kata: kata.name,
    submission: submission.label,
    seed,
    isolation: isolation ? "namespaces" : "none",
    startedAt,
    durationMs: performance.now() - begin,
    engines: [...met.values()],
    checks,
    points: pointsOf(checks),
  };
}

let tolerating = 0;

function onUnhandled(reason: unknown): void {
  const abandoned = [CheckFailure, SubmissionCrashed, SubmissionError, SubmissionTimedOut];
  if (!abandoned.some((kind) => reason instanceof kind)) throw reason;
}

/**
 * A check that fails half-way leaves promises behind whose calls to the submission fail later, with
 * nobody waiting. They must not end the grader; anything else that nobody caught still does.
 */
function tolerateAbandonedCalls(): Disposable {
  // One listener for all grades under way: Node takes many for a leak.
  if (tolerating++ === 0) process.on("unhandledRejection", onUnhandled);
  return {
    [Symbol.dispose]: () => {
      if (--tolerating === 0) process.off("unhandledRejection", onUnhandled);
    },
  };
}

/** Starts checks in rubric order, each once those that it depends on are done. */
async function runInOrder(
  checks: Rubric,
  concurrency: number,
  run: (check: Check) => Promise<void>,
): Promise<void> {
  const queue = new PQueue({ concurrency });
  const done = new Map<string, Promise<void>>();
  for (const check of checks) {
    const before = (check.dependsOn ?? []).map((id) => done.get(id));
    done.set(
      check.id,
      queue.add(async () => {
        // No deadlock: what it waits for was queued before it, so it runs or is over.
        await Promise.all(before);
        await run(check);
      }),
    );
  }
  const outcomes = await Promise.allSettled(done.values());
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

function blank(check: Check, replay: string): CheckResult {
  return {
    id: check.id,
    title: check.title,
    concept: check.concept,
    points: check.points,
    earned: 0,
    verdict: "skipped",
    durationMs: 0,
    hints: [],
    replay,
  };
}
