import { ascending } from "d3-array";
import type { Latencies } from "./latencies.ts";

/** How often a turn has which of the values, in parallel. */
interface Turn {
  readonly index: Uint32Array;
  readonly count: Float64Array;
}

/**
 * The latencies of some turns together, in which each turn may count any number of times. That is how
 * tails are bootstrapped: turns are drawn again, not calls, because calls of one turn resemble each other.
 */
export class Pool {
  /** In milliseconds, in rising order. */
  readonly #values: Float64Array;
  readonly #turns: readonly Turn[];
  readonly #totals: Float64Array;

  constructor(turns: readonly Latencies[]) {
    const entries = turns.map((turn) => [...turn.entries()]);
    this.#values = Float64Array.from(new Set(entries.flat().map(([ms]) => ms))).sort(ascending);
    const indexOf = new Map(Array.from(this.#values, (ms, index) => [ms, index]));
    this.#turns = entries.map((turn) => ({
      index: Uint32Array.from(turn, ([ms]) => indexOf.get(ms) as number),
      count: Float64Array.from(turn, ([, count]) => count),
    }));
    this.#totals = new Float64Array(this.#values.length);
  }

  /**
   * @param picks which turns, any of them any number of times
   * @param share 0.99 for p99, 1 for the greatest
   */
  quantile(picks: Iterable<number>, share: number): number {
    const all = this.#add(picks);
    let rest = share * all;
    for (let i = 0; i < this.#values.length; i++) {
      rest -= this.#totals[i] as number;
      // Sums of counts are exact, their product with a share isn't.
      if (rest <= 1e-9 * all && (this.#totals[i] as number) > 0) return this.#values[i] as number;
    }
    return Number.NaN;
  }

  mean(picks: Iterable<number>): number {
    const all = this.#add(picks);
    return (
      this.#totals.reduce((sum, count, i) => sum + count * (this.#values[i] as number), 0) / all
    );
  }

  #add(picks: Iterable<number>): number {
    this.#totals.fill(0);
    let all = 0;
    for (const pick of picks) {
      const { index, count } = this.#turns[pick] as Turn;
      for (let i = 0; i < index.length; i++) {
        const n = count[i] as number;
        const at = index[i] as number;
        this.#totals[at] = (this.#totals[at] as number) + n;
        all += n;
      }
    }
    return all;
  }
}
