/** Checks what the caller passes in, and derives every time limit from it, in one place. */
import type { NodeConfig } from "../contract.ts";

export interface Timing {
  /** The longest that a call may work: the budget minus room for the way back to the caller. */
  readonly callMs: number;
  /** The longest that one Redis command may take. */
  readonly redisCommandMs: number;
  /** The longest that setting up a Redis connection may take. */
  readonly redisConnectMs: number;
  /** How old the knowledge of the cache epoch may be when something from Redis is trusted. */
  readonly stalenessMs: number;
  /**
   * How long a fence outlives a writer that died. A statement starts at most `callMs` after the
   * fence was asked for (PostgreSQL refuses it later) and runs at most `callMs` (statement_timeout):
   * twice that, and a generous margin for clocks that run apart.
   */
  readonly fenceMs: number;
  /** How long a reader that missed may take to fetch the row and fill the cache. */
  readonly leaseMs: number;
  /** The longest that a cached session is kept. It bounds what double faults could leave behind. */
  readonly cacheMs: number;
}

export function timingOf(config: NodeConfig): Timing {
  const { requestBudgetMs: budget, stalenessBoundMs: staleness } = config;
  if (!(Number.isFinite(budget) && budget >= 20)) {
    throw new RangeError(`requestBudgetMs must be at least 20, not ${budget}.`);
  }
  if (!(Number.isFinite(staleness) && staleness > 0 && staleness <= 1_000)) {
    throw new RangeError(
      `stalenessBoundMs must be more than 0 and at most 1000, not ${staleness}.`,
    );
  }
  const callMs = Math.round(budget - Math.min(Math.max(15, budget * 0.1), budget / 2));
  return {
    callMs,
    redisCommandMs: 500,
    redisConnectMs: 250,
    stalenessMs: staleness,
    fenceMs: 2 * callMs + 5_000,
    leaseMs: 2 * callMs,
    cacheMs: 60_000,
  };
}

const MAX_TTL_MS = 10 * 366 * 24 * 60 * 60 * 1_000;

/** @throws RangeError when the time to live makes no sense: that is a bug of the caller, not of a store */
export function checkTtl(ttlMs: number): number {
  if (!(ttlMs > 0 && ttlMs <= MAX_TTL_MS)) {
    throw new RangeError(`ttlMs must be more than 0 and at most ten years, not ${ttlMs}.`);
  }
  return Math.ceil(ttlMs);
}

/** @throws TypeError for text that no database stores: `what` names the field */
export function checkText(text: string, what: string): string {
  if (typeof text !== "string" || text.includes("\0")) {
    throw new TypeError(`${what} must be a string without NUL characters.`);
  }
  return text;
}
