import { requestFailed } from "../errors.ts";
import { Latencies } from "../stats/latencies.ts";
import type { LoadResult } from "./load.ts";

/** What comes of a load while it lasts. Sorting into buckets is left for when it is over. */
export class Tally {
  /** Milliseconds, each. */
  readonly latencies = new Samples();
  readonly lateness = new Samples();
  #failed = 0;
  readonly #mayFail: boolean;

  constructor(mayFail: boolean) {
    this.#mayFail = mayFail;
  }

  /** @throws MeasureError `REQUEST_FAILED` unless requests may fail */
  refused(n: number, error: unknown): void {
    if (!this.#mayFail) throw requestFailed(n, error);
    this.#failed++;
  }

  result(ms: number): LoadResult {
    const latencies = this.latencies.histogram();
    const lateness = this.lateness.histogram();
    const perSecond = (latencies.count * 1_000) / ms;
    return { latencies, lateness, failed: this.#failed, ms, perSecond };
  }
}

/** A list of numbers that grows without being boxed. */
class Samples {
  #values = new Float64Array(2 ** 14);
  #count = 0;

  record(value: number): void {
    if (this.#count === this.#values.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#count++] = value;
  }

  histogram(): Latencies {
    const latencies = new Latencies();
    for (let i = 0; i < this.#count; i++) latencies.record(this.#values[i] as number);
    return latencies;
  }
}
