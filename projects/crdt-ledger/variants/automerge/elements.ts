/** Which elements of a list or a text are there, and which change each comes from. */
import type { OpId, Origin, Writer } from "./codec.ts";
import type { Sees } from "./ledger.ts";

/** Elements that were made one after the other. */
export interface Run {
  readonly writer: Writer;
  readonly from: number;
  readonly count: number;
}

interface Made extends Run {
  readonly origin: Origin;
}

export class Elements {
  /** By writer, each in the order of its counters: nobody's later changes have lower ones. */
  readonly #made = new Map<Writer, Made[]>();

  /** @returns what takes it back */
  add({ writer, from, count }: Run, origin: Origin): () => void {
    const made = this.#made.get(writer) ?? [];
    this.#made.set(writer, made);
    made.push({ writer, from, count, origin });
    return () => void made.pop();
  }

  /** Whether all of them are there for somebody. */
  isSeen({ writer, from, count }: Run, sees: Sees): boolean {
    const made = this.#made.get(writer);
    for (let at = from; at < from + count; ) {
      const run = made?.findLast((one) => one.from <= at);
      if (!run || at >= run.from + run.count || !sees(run.origin)) return false;
      at = run.from + run.count;
    }
    return true;
  }
}

/** The next ones of them, so many. */
export function takeFrom(runs: Run[], count: number): Run[] {
  const taken: Run[] = [];
  for (let left = count; left > 0; ) {
    const run = runs.shift();
    if (!run) throw new Error(`There are ${left} characters less than were written.`);
    const size = Math.min(left, run.count);
    taken.push({ ...run, count: size });
    if (size < run.count) runs.unshift({ ...run, from: run.from + size, count: run.count - size });
    left -= size;
  }
  return taken;
}

export function* idsIn(runs: readonly Run[]): Generator<OpId> {
  for (const { writer, from, count } of runs) {
    for (let i = 0; i < count; i++) yield `${from + i}@${writer}`;
  }
}
