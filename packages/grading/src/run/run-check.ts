import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { EngineError, type Lease } from "@db-katas/engines";
import type { Check, SubmissionContract } from "../check.ts";
import { CheckContext } from "../context.ts";
import { messageOf } from "../kata.ts";
import type { CheckFailureReport, CheckResult } from "../report/scorecard.ts";
import { randomFrom, seedFor } from "../seed.ts";
import { type AppProcess, NO_LIMIT_MS } from "../submission/process.ts";
import { Trace } from "../trace.ts";
import {
  CheckFailure,
  SubmissionCrashed,
  SubmissionError,
  SubmissionTimedOut,
  type Verdict,
} from "../verdict.ts";
import { describeFailure } from "./describe.ts";
import { assertNoDetour } from "./detours.ts";
import { heldCheck } from "./hold.ts";
import { leaseAll } from "./lease-all.ts";
import { Reach } from "./reach.ts";
import { type CheckRun, type Shared, sharedBy, spawnProcess } from "./spawn.ts";

const HINT_MS = 2_000;

/** Runs one check on one submission. Never throws: whatever happens becomes a verdict. */
export async function runCheck(check: Check, run: CheckRun): Promise<CheckResult> {
  const trace = new Trace();
  const processes = new Map<string, AppProcess>();
  const leases = new Map<string, Lease>();
  const folder = join(run.engines.folder, `check-${check.id}-${process.hrtime.bigint()}`);
  const reach = new Reach();
  let shared: Shared | undefined;
  const processFor = (name: string) => {
    const existing = processes.get(name);
    if (existing) return existing;
    const started = spawnProcess(name, run, shared);
    processes.set(name, started);
    reach.add(started);
    return started;
  };
  const startNodes = () => {
    for (const name of check.nodes ?? []) processFor(name);
  };

  const scene = { trace, processes, leases, folder: run.submission.folder, startedAt: Date.now() };
  const begin = performance.now();
  let failure: { verdict: Verdict; error: unknown } | undefined;
  let report: CheckFailureReport | undefined;
  let hints: string[] = [];
  try {
    if (!run.isolation) startNodes();
    await mkdir(folder, { recursive: true });
    await leaseAll(check, run, leases);
    if (run.isolation) {
      shared = sharedBy(run.isolation, folder, leases);
      for (const [name, lease] of leases) leases.set(name, reach.through(lease));
      startNodes();
    }
    await Promise.all([...processes.values()].map((started) => started.ready));
    const seed = seedFor(run.runSeed, check.id);
    const context = new CheckContext<SubmissionContract>({
      seed,
      random: randomFrom(seed),
      leases,
      trace,
      process: processFor,
      folder,
      patient: run.onInspector !== undefined,
    });
    const limitMs = check.timeoutMs ?? run.kata.definition.limits.checkMs;
    try {
      await withDeadline(run.onInspector ? NO_LIMIT_MS : limitMs, () => check.run(context));
      await assertNoDetour(leases);
    } catch (error) {
      failure = { verdict: verdictOf(error), error };
      hints = await evaluateHints(check, context);
    }
  } catch (error) {
    failure = { verdict: verdictOf(error), error };
    hints = check.hints.filter((hint) => typeof hint === "string");
  }
  if (failure) report = await describeFailure(failure.error, scene);
  const durationMs = performance.now() - begin;
  // Now: calls that are under way still fail when their nodes are ended, and that is no part of it.
  const timeline = trace.events.map((event) => ({ ...event }));
  const result = (): CheckResult => {
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
      timeline,
      ...(trace.dropped > 0 ? { callsLeftOut: trace.dropped } : {}),
      ...(verdict === "not graded" ? { reason: messageOf(failure?.error) } : {}),
      ...(report && verdict !== "not graded" ? { failure: report } : {}),
    };
  };
  if (failure && failure.verdict !== "not graded") {
    await run.hold?.(heldCheck(check, result(), leases, processes));
  }

  const endings = await Promise.allSettled([
    ...[...processes.values()].map((started) => started[Symbol.asyncDispose]()),
    ...[...leases.values()].map((lease) => lease[Symbol.asyncDispose]()),
    rm(folder, { recursive: true, force: true }),
  ]);
  const badEnding = endings.find((ending) => ending.status === "rejected");
  if (badEnding && !failure) {
    failure = { verdict: "error", error: badEnding.reason };
    report = await describeFailure(badEnding.reason, { ...scene, leases: new Map() });
  }
  return result();
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
