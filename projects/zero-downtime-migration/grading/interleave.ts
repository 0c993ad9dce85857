import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import type { StoreName } from "../contract.ts";
import type { MigrationContext } from "./kit.ts";
import { sql } from "./rows.ts";

/** A call that is stopped has so many messages at most that are tried. */
const MOST_MESSAGES = 12;
/** So often a round is made where a message of somebody who polls was held instead of the call's. */
const MOST_TRIES = 3;
/** After so many rounds in a row in which a call ran to its end, it has no further message. */
const ENOUGH_MISSES = 2;
/** Where a check has a minute for more than one sweep, each has its share of it; in milliseconds. */
const ENOUGH_MS = 8_000;
/** How long to wait for somebody who may be waiting for the one that is stopped, in milliseconds. */
const PATIENCE_MS = 200;
/** Who has waited for a lock for so long waits for the one that is stopped, in milliseconds. */
const LOCKED_MS = 60;
/** In milliseconds: between two looks, and what a call takes at least that nobody stops. */
const GLANCE_MS = 20;

/** What a check declares for both stores in which nodes are cut off. */
export const CUT_OFF = { faults: [blackHole, resetConnections] } as const;

export interface Place {
  readonly store: StoreName;
  readonly node: string;
  /** Its request, or the reply to that. Default `request`. */
  readonly direction?: "request" | "reply";
  /** The message is lost and its connection breaks, instead of going on. */
  readonly lost?: boolean;
  /** What comes of the call may be stopped, too, when that has settled. */
  readonly afterwards?: boolean;
  /** How long `meanwhile` may take before the call goes on in any case. Default {@link PATIENCE_MS}. */
  readonly patienceMs?: number;
  /** After so long no further round begins, but for the first three. Default {@link ENOUGH_MS}. */
  readonly enoughMs?: number;
}

/** Stops `call` at its message, does `meanwhile`, and lets it go on. */
export type Interleave = <T, U>(
  call: () => Promise<T>,
  meanwhile: () => Promise<U>,
) => Promise<readonly [call: PromiseSettledResult<T>, meanwhile: PromiseSettledResult<U>]>;

/**
 * One round after another: a call is stopped before its node's first message to a store, in the next
 * round before the second, and so on. What the messages say doesn't matter. A node that polls has
 * messages beside those of the call: a round in which the call ran to its end, or was stopped where it
 * has just been stopped, is made again.
 * @param round begins with something fresh, calls `interleave` once, and judges
 */
export async function atEachMessage(
  t: MigrationContext,
  place: Place,
  round: (interleave: Interleave, nth: number) => Promise<void>,
): Promise<void> {
  const { store, node, direction = "request", lost = false, afterwards = false } = place;
  const { patienceMs = PATIENCE_MS, enoughMs = ENOUGH_MS } = place;
  const end = performance.now() + enoughMs;
  /** Where the call was stopped in the last two rounds. */
  let recent: string[] = [];
  for (let nth = 1, tries = 1, misses = 0; nth <= MOST_MESSAGES; ) {
    let stoppedAt: string | undefined;
    let missed: boolean | undefined;
    await round(async (call, meanwhile) => {
      using gate = t.hold(store, { node, direction, match: /./, nth });
      const stopped = call();
      const over = Promise.allSettled([stopped]).then(() => wait(afterwards ? PATIENCE_MS : 0));
      const held = await Promise.race([gate.held, over.then(() => undefined)]);
      stoppedAt ??= held && statementOf(held.text);
      const waiters = await lockWaiters(t);
      const other = meanwhile();
      await settledOrBlocked(t, other, patienceMs, waiters);
      const isOver = held !== undefined && !afterwards && (await settles(stopped));
      missed = isOver && missed !== false;
      if (lost && held) gate.drop();
      else gate.release();
      return Promise.allSettled([stopped, other]);
    }, nth);
    if (stoppedAt === undefined || (nth >= 3 && performance.now() > end)) return;
    misses = missed ? misses + 1 : 0;
    if (misses === ENOUGH_MISSES) return;
    if ((missed || recent.includes(stoppedAt)) && tries < MOST_TRIES) tries++;
    else {
      recent = [...recent.slice(-1), stoppedAt];
      tries = 1;
      nth++;
    }
  }
}

/** Without its parameters, which are others in each round. */
const statementOf = (text: string) => text.replace(/ \[.*/s, "");

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
  await settledOrBlocked(t, waiting);
  const waiters = await lockWaiters(t);
  const other = meanwhile();
  await settledOrBlocked(t, other, PATIENCE_MS, waiters);
  await sql(t, store, "COMMIT");
  return Promise.allSettled([waiting, other]);
}

/** Until it has settled, or somebody else waits for a lock in one of the stores: then it won't. */
export async function settledOrBlocked(
  t: MigrationContext,
  work: Promise<unknown>,
  patienceMs = PATIENCE_MS,
  known: ReadonlySet<string> = new Set(),
): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await settles(work)) && performance.now() < end) {
    if ([...(await lockWaiters(t))].some((waiter) => !known.has(waiter))) return;
  }
}

/** Whether it has settled by now, or does so at once. */
export function settles(work: Promise<unknown>): Promise<boolean> {
  const over = Promise.allSettled([work]).then(() => true);
  return Promise.race([over, wait(GLANCE_MS, false)]);
}

const stores = ["legacy", "modern"] as const;

/** Who waits for a lock in either store, and has for a while. */
async function lockWaiters(t: MigrationContext): Promise<ReadonlySet<string>> {
  const found = await Promise.all(
    stores.map(async (store) => {
      const { rows } = await sql(
        t,
        store,
        `SELECT pid FROM pg_locks
         WHERE NOT granted AND waitstart < clock_timestamp() - interval '${LOCKED_MS} ms'`,
      );
      return rows.map(({ pid }) => `${store} ${pid}`);
    }),
  );
  return new Set(found.flat());
}

/**
 * Cuts a node off from both stores in the middle of the message that `gate` holds. As if its process had
 * ended, its connections break with that; a line that is only silent keeps what was locked over it.
 * @returns how to undo it
 */
export async function cutOff(
  t: MigrationContext,
  node: string,
  gate: { drop(): void },
  { silently = false } = {},
): Promise<() => Promise<void>> {
  const holes = await Promise.all(
    stores.map((store) => t.inject(store, blackHole, { nodes: [node] })),
  );
  gate.drop();
  if (!silently) {
    for (const store of stores) await t.inject(store, resetConnections, { nodes: [node] });
  }
  return async () => {
    for (const hole of holes) await hole.heal();
  };
}

/** @throws what it was rejected with */
export function fulfilled<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
