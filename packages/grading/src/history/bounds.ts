import type { Operation } from "./history.ts";

/** By how much an operation changes a sum, if it happens. */
export interface Change {
  readonly operation: Operation;
  readonly by: number;
}

/** A sum that somebody read. */
export interface Reading {
  readonly operation: Operation;
  readonly sum: number;
}

export interface Bounds {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The least and the greatest sum at each moment: what certainly happened before, and of what may be
 * happening, or may never be answered, whatever makes it least or greatest. Bounds change only when
 * a change begins or ends, so there are few moments to look at.
 */
export class SumBounds {
  /** The instants at which the bounds change, in order; `#bounds[i + 1]` holds from `#times[i]` on. */
  readonly #events: { at: number; begins: boolean }[];
  readonly #bounds: Bounds[];

  constructor(initial: number, changes: readonly Change[]) {
    const events = changes
      .filter(({ operation }) => operation.outcome !== "fail")
      .flatMap(({ operation, by }) => {
        const begin = { at: operation.invokedAt, begins: true, by };
        return operation.outcome === "ok"
          ? [begin, { at: operation.completedAt, begins: false, by }]
          : [begin];
      })
      // At the same instant beginnings come first: then the operations overlap.
      .sort((one, other) => one.at - other.at || Number(other.begins) - Number(one.begins));
    let lower = initial;
    let upper = initial;
    this.#events = events;
    this.#bounds = [{ lower, upper }];
    for (const { begins, by } of events) {
      if (begins === by > 0) upper += by;
      else lower += by;
      this.#bounds.push({ lower, upper });
    }
  }

  /** The bounds at each moment of an operation, in order. */
  during({ invokedAt, completedAt }: Operation): readonly Bounds[] {
    // From what has ended before it began, to what began when it ended at the latest.
    const first = this.#before((event) => event.at < invokedAt);
    const last = this.#before(
      (event) => event.at < completedAt || (event.at === completedAt && event.begins),
    );
    return this.#bounds.slice(first, last + 1);
  }

  /** How many events come before the first of which that isn't true. */
  #before(isBefore: (event: { at: number; begins: boolean }) => boolean): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const event = this.#events[middle];
      if (event && isBefore(event)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** By how much the sum can have changed from one reading to a later one. */
export function boundsBetween(
  earlier: Operation | undefined,
  later: Operation,
  changes: readonly Change[],
): Bounds {
  let lower = 0;
  let upper = 0;
  for (const { operation, by } of changes) {
    const part = partBetween(earlier, later, operation);
    if (part === "none") continue;
    if (part === "certain" || by < 0) lower += by;
    if (part === "certain" || by > 0) upper += by;
  }
  return { lower, upper };
}

function partBetween(
  earlier: Operation | undefined,
  later: Operation,
  { invokedAt, completedAt, outcome }: Operation,
): "none" | "maybe" | "certain" {
  if (outcome === "fail" || invokedAt > later.completedAt) return "none";
  if (outcome === "ok" && earlier && completedAt < earlier.invokedAt) return "none";
  const after = !earlier || invokedAt > earlier.completedAt;
  return outcome === "ok" && after && completedAt < later.invokedAt ? "certain" : "maybe";
}

/**
 * Why a reading is impossible: the latest earlier reading that it contradicts, or none if that
 * takes the initial sum, and the changes that count. Undefined when no two readings contradict.
 */
export function contradiction(
  initial: number,
  readings: readonly Reading[],
  later: Reading,
  changes: readonly Change[],
  mostTries = 200,
): { earlier: Reading | undefined; proof: readonly Operation[]; bounds: Bounds } | undefined {
  const before = readings
    .filter(({ operation }) => operation.completedAt < later.operation.invokedAt)
    .sort((one, other) => other.operation.completedAt - one.operation.completedAt)
    .slice(0, mostTries);
  for (const earlier of [...before, undefined]) {
    const from = earlier?.sum ?? initial;
    const { lower, upper } = boundsBetween(earlier?.operation, later.operation, changes);
    const by = later.sum - from;
    if (by >= lower && by <= upper) continue;
    const sign = by < lower ? 1 : -1;
    const proof = neededChanges(earlier?.operation, later.operation, changes, by, sign);
    return {
      earlier,
      proof: [...(earlier ? [earlier.operation] : []), ...proof, later.operation],
      bounds: { lower: from + lower, upper: from + upper },
    };
  }
  return undefined;
}

/**
 * Changes that may explain why a sum is so low (or high) are all needed. Of those that certainly
 * make it higher (or lower), only as many as it takes.
 */
function neededChanges(
  earlier: Operation | undefined,
  later: Operation,
  changes: readonly Change[],
  by: number,
  sign: 1 | -1,
): Operation[] {
  const needed: Operation[] = [];
  const against: Change[] = [];
  let bound = 0;
  for (const change of changes) {
    const part = partBetween(earlier, later, change.operation);
    if (part === "none") continue;
    if (change.by * sign < 0) {
      needed.push(change.operation);
      bound += change.by * sign;
    } else if (part === "certain") against.push(change);
  }
  against.sort((one, other) => (other.by - one.by) * sign);
  for (const change of against) {
    if (bound > by * sign) break;
    bound += change.by * sign;
    needed.push(change.operation);
  }
  return needed;
}
