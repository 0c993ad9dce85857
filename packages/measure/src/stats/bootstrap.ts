import { type Interval, middle } from "./estimate.ts";
import { randomFrom } from "./random.ts";

export interface BootstrapOptions {
  /** Default 2,000. */
  readonly resamples?: number;
  /** The same samples and seed give the same interval. Default 1. */
  readonly seed?: number;
}

/** With fewer turns there is nothing to resample, and no interval. */
export const FEWEST = 5;

/** What comes of samples drawn again: `picks[k]` holds indexes into the k-th group, as many as it has. */
export type Statistic = (picks: readonly Uint32Array[]) => number;

/**
 * A percentile interval: samples are drawn again with replacement, within each group, and the middle
 * of what the statistic then makes of them is the interval. B. Efron, R. J. Tibshirani, "An
 * Introduction to the Bootstrap" (1993), chapter 13.
 * @param sizes how many samples each group has
 * @returns NaN at both ends when a group has fewer than {@link FEWEST}
 */
export function bootstrap(
  sizes: readonly number[],
  statistic: Statistic,
  { resamples = 2_000, seed = 1 }: BootstrapOptions = {},
): Interval {
  if (sizes.some((size) => size < FEWEST)) return { low: Number.NaN, high: Number.NaN };
  const random = randomFrom(seed);
  const picks = sizes.map((size) => new Uint32Array(size));
  const results = new Float64Array(resamples);
  for (let round = 0; round < resamples; round++) {
    for (const group of picks) {
      for (let i = 0; i < group.length; i++) group[i] = Math.floor(random() * group.length);
    }
    results[round] = statistic(picks);
  }
  return middle(results);
}
