import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { EngineError, type EngineRun, type Lease, type RunningEngine } from "@db-katas/engines";
import {
  type Check,
  type RemoteSubmission,
  requestFor,
  type SubmissionContract,
} from "../check.ts";
import { CheckContext } from "../context.ts";
import { type Kata, messageOf } from "../kata.ts";
import type { CheckFailureReport, CheckResult } from "../report/scorecard.ts";
import { randomFrom, seedFor } from "../seed.ts";
import { AppProcess } from "../submission/process.ts";
import type { Submission } from "../submission/submission.ts";
import { Trace, tellingEvents } from "../trace.ts";
import {
  CheckFailure,
  SubmissionCrashed,
  SubmissionError,
  SubmissionTimedOut,
  type Verdict,
} from "../verdict.ts";

const TRACE_SHOWN = 16;
const HINT_MS = 2_000;

export interface CheckRun {
  readonly kata: Kata;
  readonly submission: Submission;
  /** Hash of the submission's files: the key of what its migrations prepared. */
  readonly fingerprint: string;
  readonly engines: EngineRun;
  readonly runSeed: number;
  readonly compileCache?: string | undefined;
  /** Told of every engine that the check met. */
  readonly onEngine: (engine: RunningEngine) => void;
  readonly replay: string;
}

/** Runs one check on one submission. Never throws: whatever happens becomes a verdict. */
export async function runCheck(check: Check, run: CheckRun): Promise<CheckResult> {
  const trace = new Trace();
  const processes = new Map<string, AppProcess>();
  const leases = new Map<string, Lease>();
  const folder = join(run.engines.folder, `check-${check.id}-${process.hrtime.bigint()}`);
  const spawn = (name: string) => spawnProcess(name, run);
  const processFor = (name: string) => {
    const existing = processes.get(name);
    if (existing) return existing;
    const started = spawn(name);
    processes.set(name, started);
    return started;
  };

  const begin = performance.now();
  let failure: { verdict: Verdict; error: unknown } | undefined;
  let report: CheckFailureReport | undefined;
  let hints: string[] = [];
  try {
    for (const name of check.nodes ?? []) processFor(name);
    await mkdir(folder, { recursive: true });
    await leaseAll(check, run, leases, spawn);
    await Promise.all([...processes.values()].map((started) => started.ready));
    const seed = seedFor(run.runSeed, check.id);
    const context = new CheckContext<SubmissionContract>({
      seed,
      random: randomFrom(seed),
      leases,
      trace,
      process: processFor,
      folder,
    });
    try {
      await withDeadline(check.timeoutMs ?? run.kata.definition.limits.checkMs, () =>
        check.run(context),
      );
    } catch (error) {
      failure = { verdict: verdictOf(error), error };
      hints = await evaluateHints(check, context);
    }
  } catch (error) {
    failure = { verdict: verdictOf(error), error };
    hints = check.hints.filter((hint) => typeof hint === "string");
  }
  const own = (stack: string | undefined) => ownFrames(stack, run.submission.folder);
  if (failure) report = await describe(failure.error, trace, processes, leases, own);
  const durationMs = performance.now() - begin;

  const endings = await Promise.allSettled([
    ...[...processes.values()].map((started) => started[Symbol.asyncDispose]()),
    ...[...leases.values()].map((lease) => lease[Symbol.asyncDispose]()),
    rm(folder, { recursive: true, force: true }),
  ]);
  const badEnding = endings.find((ending) => ending.status === "rejected");
  if (badEnding && !failure) {
    failure = { verdict: "error", error: badEnding.reason };
    report = await describe(badEnding.reason, trace, processes, new Map(), own);
  }

  const verdict = failure?.verdict ?? "passed";
  return {
    id: check.id,
    title: check.title,
    concept: check.concept,
    points: check.points,
    earned: verdict === "passed" ? check.points : 0,
    verdict,
    durationMs,
    hints,
    replay: run.replay,
    ...(verdict === "not graded" ? { reason: messageOf(failure?.error) } : {}),
    ...(report && verdict !== "not graded" ? { failure: report } : {}),
  };
}

export function spawnProcess(name: string, run: CheckRun): AppProcess {
  const { memoryMb, callMs } = run.kata.definition.limits;
  return new AppProcess({
    name,
    entry: run.submission.entry,
    cwd: run.submission.folder,
    exercise: run.kata.folder,
    memoryMb,
    callMs,
    engines: run.engines,
    compileCache: run.compileCache,
  });
}

async function leaseAll(
  check: Check,
  run: CheckRun,
  leases: Map<string, Lease>,
  spawn: (name: string) => AppProcess,
): Promise<void> {
  // Settled, not raced: a lease that arrives after another one failed must still be given back.
  const outcomes = await Promise.allSettled(
    Object.entries(check.engines).map(async ([name, needs]) => {
      const preparation = check.prepare?.[name];
      const lease = await run.engines.lease(name, {
        ...requestFor(needs),
        ...(preparation && {
          template: {
            key: run.fingerprint,
            build: async (url: string) => {
              await using migrator = spawn("migrate");
              await migrator.ready;
              const remote: RemoteSubmission<SubmissionContract> = {
                migrate: (...args) => migrator.migrate(args),
              };
              await preparation.build(remote, url);
            },
          },
        }),
      });
      leases.set(name, lease);
      run.onEngine(lease.engine);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

async function withDeadline(limitMs: number, work: () => Promise<void>): Promise<void> {
  const done = new AbortController();
  const deadline = wait(limitMs, undefined, { signal: done.signal }).then(
    () => {
      throw new SubmissionTimedOut(`The check did not end within ${limitMs} ms.`);
    },
    () => {},
  );
  try {
    await Promise.race([work(), deadline]);
  } finally {
    done.abort();
  }
}

function verdictOf(error: unknown): Verdict {
  if (error instanceof CheckFailure || error instanceof SubmissionError) return "failed";
  if (error instanceof SubmissionCrashed) return "crashed";
  if (error instanceof SubmissionTimedOut) return "timed out";
  if (error instanceof EngineError) {
    return error.code === "ENGINE_UNAVAILABLE" || error.code === "CAPABILITY_MISSING"
      ? "not graded"
      : "error";
  }
  return "error";
}

async function evaluateHints(
  check: Check,
  context: CheckContext<SubmissionContract>,
): Promise<string[]> {
  const texts = await Promise.all(
    check.hints.map(async (hint) => {
      if (typeof hint === "string") return hint;
      // A hint looks into databases that the check may have left broken: it may fail, and may not hang.
      const silent = wait(HINT_MS, undefined, { ref: false });
      return Promise.race([hint(context).catch(() => undefined), silent]);
    }),
  );
  return texts.filter((text) => text !== undefined);
}

async function describe(
  error: unknown,
  trace: Trace,
  processes: ReadonlyMap<string, AppProcess>,
  leases: ReadonlyMap<string, Lease>,
  own: (stack: string | undefined) => string[],
): Promise<CheckFailureReport> {
  const stderr = [...processes.values()]
    .filter((started) => started.stderr !== "")
    .map((started) => `── node ${started.name}\n${started.stderr.slice(-2_000)}`)
    .join("\n");
  const base = {
    detail: [] as string[],
    trace: tellingEvents(trace.events, TRACE_SHOWN),
    ...(stderr ? { stderr } : {}),
  };
  if (error instanceof CheckFailure) {
    return {
      ...base,
      message: error.message,
      detail: [...error.detail],
      ...(error.expected === undefined ? {} : { expected: error.expected }),
      ...(error.received === undefined ? {} : { received: error.received }),
    };
  }
  if (error instanceof SubmissionError) {
    const code = error.code ? `${error.code}: ` : "";
    const where = error.operation === error.node ? "" : ` on node ${error.node}`;
    return {
      ...base,
      message: `${error.operation}()${where} rejected: ${code}${error.message}`,
      detail: own(error.remoteStack),
    };
  }
  if (error instanceof SubmissionCrashed) {
    return {
      ...base,
      message: `The process of node ${error.node} broke: ${error.message}.`,
      stderr: error.stderr || stderr,
    };
  }
  if (error instanceof SubmissionTimedOut) return { ...base, message: error.message };
  const logs = await Promise.allSettled(
    [...leases].map(async ([name, lease]) => `── ${name}\n${await lease.engine.log(20)}`),
  );
  return {
    ...base,
    message: messageOf(error),
    detail: error instanceof Error ? (error.stack?.split("\n").slice(1, 8) ?? []) : [],
    engineLog: logs
      .filter((log) => log.status === "fulfilled")
      .map((log) => log.value)
      .join("\n"),
  };
}

/** The frames of a stack that are the submission's own, with paths that start at its folder. */
function ownFrames(stack: string | undefined, folder: string): string[] {
  const root = pathToFileURL(`${folder}/`).href;
  return (stack?.split("\n") ?? [])
    .filter((line) => line.includes(root) && !line.includes("node_modules"))
    .slice(0, 5)
    .map((line) => line.trim().replace(root, ""));
}
