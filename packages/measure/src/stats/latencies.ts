import {
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  Int32Histogram,
  JsHistogram,
} from "hdr-histogram-js";

const NS_PER_MS = 1e6;
const SIGNIFICANT_DIGITS = 3;

/** Latencies in milliseconds, each kept to three significant digits, in an HDR histogram of nanoseconds. */
export class Latencies {
  readonly #histogram: JsHistogram;

  constructor(histogram: JsHistogram = new Int32Histogram(1, 2, SIGNIFICANT_DIGITS)) {
    this.#histogram = histogram;
    this.#histogram.autoResize = true;
  }

  /**
   * @param text as {@link encode} gives it, or any other tool for HDR histograms of nanoseconds
   * @throws Error when it is none
   */
  static decode(text: string): Latencies {
    const histogram = decodeFromCompressedBase64(text);
    if (!(histogram instanceof JsHistogram)) throw new TypeError("a histogram of another kind");
    return new Latencies(histogram);
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.max(0, Math.round(ms * NS_PER_MS)));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get mean(): number {
    return this.#histogram.mean / NS_PER_MS;
  }

  get max(): number {
    return this.#histogram.maxValue / NS_PER_MS;
  }

  /** @param share 0.99 for p99; NaN where nothing was recorded */
  quantile(share: number): number {
    if (this.count === 0) return Number.NaN;
    return this.#histogram.getValueAtPercentile(share * 100) / NS_PER_MS;
  }

  /** Each value that was recorded, in milliseconds, and how often; in rising order. */
  *entries(): Generator<readonly [ms: number, count: number]> {
    const iterator = this.#histogram.recordedValuesIterator;
    iterator.reset();
    while (iterator.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = iterator.next();
      yield [valueIteratedTo / NS_PER_MS, countAtValueIteratedTo];
    }
  }

  /** V2 of HdrHistogram's format, compressed, in Base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}
