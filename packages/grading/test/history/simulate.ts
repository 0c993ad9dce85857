import type { Operation, Random } from "../../src/index.ts";

export interface Simulated<Op extends string> {
  readonly random: Random;
  /** How many clients there are. */
  readonly processes: number;
  /** How many operations there are. */
  readonly count: number;
  /** Of a hundred operations, how many never answer; half of those never happen. Default: 0. */
  readonly unknownPercent?: number;
  /** What a client does next; `last` is its latest answered operation. Null: it is done. */
  next(
    process: string,
    last: Operation<Op> | undefined,
  ): { op: Op; value: string; input?: unknown } | null;
  /** Lets it happen, at one instant, and says what comes of it. `fail` had no effect. */
  apply(operation: Operation<Op>): { result?: unknown; outcome?: "ok" | "fail" };
}

/**
 * What the clients of a correct object see: every operation takes effect at one instant between its
 * beginning and its end. Valid by construction, in virtual time, the same for the same randomness.
 */
export function simulate<Op extends string>(object: Simulated<Op>): Operation<Op>[] {
  const { random } = object;
  const operations: Operation<Op>[] = [];
  const events: { at: number; run: () => void }[] = [];
  const later = (at: number, run: () => void) => events.push({ at, run });
  const begin = (client: number, life: number, at: number, last?: Operation<Op>) => {
    if (operations.length >= object.count) return;
    const process = life === 0 ? `c${client}` : `c${client}.${life}`;
    const what = object.next(process, last);
    if (!what) return;
    const operation: Operation<Op> = {
      index: operations.length,
      process,
      ...what,
      invokedAt: at,
      completedAt: Number.POSITIVE_INFINITY,
      outcome: "unknown",
    };
    operations.push(operation);
    if (random.int(1, 100) <= (object.unknownPercent ?? 0)) {
      if (random.int(0, 1) === 1)
        later(at + random.int(0, 5_000) / 10, () => object.apply(operation));
      later(at + 10, () => begin(client, life + 1, at + 10));
      return;
    }
    const effectAt = at + random.int(1, 500) / 100;
    later(effectAt, () => {
      const { result, outcome = "ok" } = object.apply(operation);
      const completedAt = effectAt + random.int(1, 500) / 100;
      const answered = {
        ...operation,
        completedAt,
        outcome,
        ...(result === undefined ? {} : { result }),
      };
      operations[operation.index] = answered;
      const nextAt = completedAt + random.int(1, 200) / 100;
      later(nextAt, () => begin(client, life, nextAt, answered));
    });
  };
  for (let client = 0; client < object.processes; client++) {
    const at = random.int(0, 300) / 100;
    later(at, () => begin(client, 0, at));
  }
  while (events.length > 0) {
    let first = 0;
    for (let i = 1; i < events.length; i++) {
      if ((events[i]?.at ?? 0) < (events[first]?.at ?? 0)) first = i;
    }
    events.splice(first, 1)[0]?.run();
  }
  return operations;
}
