/** How the last word passes from one store to the other: what was acknowledged before is in both then. */

import type { Phase } from "../contract.ts";
import { carry } from "./carrier.ts";
import { Closed, notReady } from "./errors.ts";
import { within } from "./limit.ts";
import type { Store, Word } from "./store.ts";

/** Pending entries that are few enough to be carried while writers wait. */
const FEW = 50;
/** How long the store that is to get the last word is asked whether it is there, in milliseconds. */
const KNOCK_MS = 1_500;

export interface PassOptions {
  /** How long writers may be kept waiting for their turn, and again for what is pending, in milliseconds. */
  readonly fenceMs: number;
  readonly deadline: number;
}

/**
 * First without anybody noticing, then with writers held off for the rest. The store that had the last
 * word is closed in the transaction that found nothing pending; only then the other one is opened. If
 * this is cut short in between, no store is open: whoever looks next finishes it.
 * @throws Closed when somebody else has passed it on meanwhile
 */
export async function passWord(from: Store, to: Store, phase: Phase, options: PassOptions) {
  const { fenceMs, deadline } = options;
  // Also with nothing to carry: a store that can't be reached can't be given the last word.
  await within(
    KNOCK_MS,
    to.word().catch(() => to.word()),
  ).catch((cause: unknown) => {
    throw notReady(`${to.name} gives no answer; ask again when it does.`, cause);
  });
  while ((await from.pendingCount()) > FEW) {
    if (performance.now() > deadline) throw notReady(`${to.name} can't keep up; try again later.`);
    await carry(from, to);
  }
  const word = await from.database.fence(fenceMs, async (connection) => {
    if (!(await from.word(connection)).open) throw new Closed();
    const rest = async () => {
      while ((await from.pendingCount()) > 0) await carry(from, to);
      await to.word();
    };
    await within(fenceMs, rest());
    await connection.query("UPDATE migration SET open = false, phase = $1, epoch = epoch + 1", [
      phase,
    ]);
    return from.word(connection);
  });
  await finishPass(to, word);
}

/** Opens a store that was given the last word, unless it has been passed on again since. */
export async function finishPass(to: Store, { phase, epoch }: Word): Promise<void> {
  await to.database.query(
    "UPDATE migration SET open = true, phase = $1, epoch = $2 WHERE epoch < $2",
    [phase, epoch],
  );
}
