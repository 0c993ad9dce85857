import { addAbortListener } from "node:events";
import { loadInvalid, loadUnanswered } from "../errors.ts";
import type { Latencies } from "../stats/latencies.ts";
import { type Clock, monotonic } from "./clock.ts";
import { closedLoop } from "./closed.ts";
import { openLoop } from "./open.ts";

/**
 * So many requests per second, whether or not those before have been answered, as users come. Latency
 * counts from when a request was meant to be sent: what waits because the engine stalls, or because we
 * are late ourselves, has waited. (G. Tene, "How NOT to measure latency", calls the opposite
 * coordinated omission.)
 */
export interface OpenLoop {
  readonly kind: "open";
  readonly perSecond: number;
  readonly ms: number;
  /** With more requests unanswered it is given up. Default 10,000. */
  readonly mostInFlight?: number;
}

/**
 * So many clients, each of which asks again when it has its answer. It shows what an engine can do, and
 * hides how long users wait when it stalls: nobody asks meanwhile.
 */
export interface ClosedLoop {
  readonly kind: "closed";
  readonly clients: number;
  readonly ms: number;
}

/** A load as a description. */
export type Load = OpenLoop | ClosedLoop;

/** @param n counts from 0; in a closed loop, client c has c, c + clients, c + 2 · clients … */
export type Request = (n: number) => Promise<unknown>;

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** Refusals are counted instead of ending it all; they have no latency. */
  readonly mayFail?: boolean;
  /** How long to wait for answers when the load is over. Default 60,000 ms. */
  readonly answerMs?: number;
  readonly clock?: Clock;
}

/** What a loop works with. Its signal also says that nobody waits for it any more. */
export interface Loop {
  readonly request: Request;
  readonly signal: AbortSignal;
  readonly mayFail: boolean;
  readonly clock: Clock;
  /** Ends it all with that error. */
  readonly fail: (error: unknown) => void;
}

export interface LoadResult {
  /** Of what was answered, in milliseconds. */
  readonly latencies: Latencies;
  /** By how much requests were sent later than meant; empty for a closed loop. */
  readonly lateness: Latencies;
  readonly failed: number;
  /** From the first request to the last answer. */
  readonly ms: number;
  /** Answers. */
  readonly perSecond: number;
}

/**
 * Sends requests as a load says, and measures. What was sent when it is aborted, or fails, is left to
 * itself; no more is sent.
 * @throws MeasureError `REQUEST_FAILED`, `LOAD_OVERRUN`, `LOAD_UNANSWERED`, `LOAD_INVALID`
 * @throws the signal's reason
 */
export async function applyLoad(
  load: Load,
  request: Request,
  { signal, mayFail = false, answerMs = 60_000, clock = monotonic }: LoadOptions = {},
): Promise<LoadResult> {
  check(load);
  signal?.throwIfAborted();
  const over = new AbortController();
  const stopped = Promise.withResolvers<never>();
  using _ = signal && addAbortListener(signal, () => stopped.reject(signal.reason));
  const timer = setTimeout(() => stopped.reject(loadUnanswered(answerMs)), load.ms + answerMs);
  const loop = { request, signal: over.signal, mayFail, clock, fail: stopped.reject };
  const working = load.kind === "open" ? openLoop(load, loop) : closedLoop(load, loop);
  try {
    return await Promise.race([working, stopped.promise]);
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}

function check(load: Load): void {
  const numbers =
    load.kind === "open"
      ? [load.perSecond, load.ms, load.mostInFlight ?? 1]
      : [load.clients, load.ms];
  const positive = numbers.every((each) => Number.isFinite(each) && each > 0);
  if (!positive) throw loadInvalid(JSON.stringify(load));
}
