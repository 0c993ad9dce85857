/** Compares what legacy answered with what modern would have, when nobody waits for it. */
import type { Status } from "../contract.ts";
import { differenceOf } from "./comparison.ts";
import type { Log } from "./log.ts";
import type { Entry, Store } from "./store.ts";

/** Comparisons at a time; reads beyond are not compared: modern may hang, and memory is finite. */
const MOST_AT_ONCE = 4;
/** Ids that are remembered. */
const MOST_MISMATCHES = 1_000;

export class Shadow {
  readonly #modern: Store;
  readonly #log: Log;
  readonly #mismatches = new Set<string>();
  #compared = 0;
  #running = 0;

  constructor(modern: Store, log: Log) {
    this.#modern = modern;
    this.#log = log;
  }

  get found(): Status["shadow"] {
    return { compared: this.#compared, mismatches: [...this.#mismatches] };
  }

  /** @param answered by legacy, a moment ago */
  compare(answered: readonly Entry[]): void {
    if (this.#running >= MOST_AT_ONCE) return;
    this.#running += 1;
    this.#compare(answered)
      .catch((error: unknown) => this.#log.debug({ error: String(error) }, "not compared"))
      .finally(() => {
        this.#running -= 1;
      });
  }

  async #compare(answered: readonly Entry[]): Promise<void> {
    const { entries } = await this.#modern.read(answered.map(({ id }) => id));
    for (const [index, entry] of answered.entries()) {
      const difference = differenceOf(entry, entries[index]);
      this.#compared += 1;
      if (!difference || this.#mismatches.size >= MOST_MISMATCHES) continue;
      this.#mismatches.add(entry.id);
      this.#log.warn({ id: entry.id, difference }, "shadow read differs");
    }
  }
}
