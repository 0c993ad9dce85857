import { setTimeout as wait } from "node:timers/promises";
import type { StoreName } from "../contract.ts";
import type { MigrationContext } from "./kit.ts";
import { sql } from "./rows.ts";

/** A call that is stopped has so many messages at most that are tried. */
const MOST_MESSAGES = 8;
/** After so long no further round begins, but for the first three, in milliseconds. */
const ENOUGH_MS = 8_000;
/** How long to wait for somebody who may be waiting for the one that is stopped, in milliseconds. */
const LOCKED_MS = 200;

export interface Place {
  readonly store: StoreName;
  readonly node: string;
  /** Its request, or the reply to that. Default `request`. */
  readonly direction?: "request" | "reply";
  /** The message is lost and its connection breaks, instead of going on. */
  readonly lost?: boolean;
  /** How long `meanwhile` may take before the call goes on in any case. Default {@link LOCKED_MS}. */
  readonly patienceMs?: number;
}

/** Stops `call` at its message, does `meanwhile`, and lets it go on. */
export type Interleave = <T, U>(
  call: () => Promise<T>,
  meanwhile: () => Promise<U>,
) => Promise<readonly [call: PromiseSettledResult<T>, meanwhile: PromiseSettledResult<U>]>;

/**
 * One round after another: a call is stopped before its node's first message to a store, in the next
 * round before the second, and so on. What the messages say doesn't matter.
 * @param round begins with something fresh, calls `interleave` once, and judges
 */
export async function atEachMessage(
  t: MigrationContext,
  place: Place,
  round: (interleave: Interleave, nth: number) => Promise<void>,
): Promise<void> {
  const { store, node, direction = "request", lost = false } = place;
  const { patienceMs = LOCKED_MS } = place;
  const end = performance.now() + ENOUGH_MS;
  for (let nth = 1; nth <= MOST_MESSAGES; nth++) {
    let reached = false;
    await round(async (call, meanwhile) => {
      using gate = t.hold(store, { node, direction, match: /./, nth });
      const stopped = call();
      const over = Promise.allSettled([stopped]).then(() => wait(LOCKED_MS, false));
      reached = await Promise.race([gate.held.then(() => true), over]);
      const other = meanwhile();
      await Promise.race([Promise.allSettled([other]), wait(patienceMs)]);
      if (lost && reached) gate.drop();
      else gate.release();
      return Promise.allSettled([stopped, other]);
    }, nth);
    if (!reached || (nth >= 3 && performance.now() > end)) return;
  }
}

/**
 * A write that waits inside of its server, for a row that the grader has locked: whatever it has looked
 * at before, it has looked at already. Meanwhile something else is done; then the row is let go.
 */
export async function behindRowLock<T, U>(
  t: MigrationContext,
  store: StoreName,
  id: string,
  write: () => Promise<T>,
  meanwhile: () => Promise<U>,
): Promise<readonly [write: PromiseSettledResult<T>, meanwhile: PromiseSettledResult<U>]> {
  await sql(t, store, "BEGIN");
  await sql(t, store, "SELECT FROM accounts WHERE id = $1 FOR UPDATE", [id]);
  const waiting = write();
  await Promise.race([Promise.allSettled([waiting]), wait(LOCKED_MS)]);
  const other = meanwhile();
  await Promise.race([Promise.allSettled([other]), wait(LOCKED_MS)]);
  await sql(t, store, "COMMIT");
  return Promise.allSettled([waiting, other]);
}

/** @throws what it was rejected with */
export function fulfilled<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
