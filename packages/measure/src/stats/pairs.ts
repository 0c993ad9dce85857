import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { type Estimate, kept, trimmedMean, trimmedMeanOf } from "./estimate.ts";

/**
 * As many turns make a true difference of 10 % show at least 80 % of the time, on a machine as noisy as
 * `test/noise.ts` describes. Even, so that as many turns begin with one contender as with the other.
 */
export const DEFAULT_TURNS = 40;

/**
 * One contender against another, from turns in which both were measured, one right after the other:
 * what the machine does to both at the same moment cancels out. The ratio is that of a typical turn,
 * which is the trimmed mean of the ratios' logarithms, so that a turn with half of it weighs as much
 * as one with twice.
 * @throws RangeError for values that are no positive numbers, which have no ratio
 */
export function pairedRatio(
  ours: readonly number[],
  theirs: readonly number[],
  options?: BootstrapOptions,
): Estimate {
  const logs = ours.map((value, turn) => Math.log(value / (theirs[turn] ?? Number.NaN)));
  if (ours.length !== theirs.length || !logs.every(Number.isFinite)) {
    throw new RangeError("A ratio takes two positive numbers for each turn.");
  }
  const { value, low, high } = typical(logs, options);
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high) };
}

/** Likewise the difference, for values of which some are zero. */
export function pairedDifference(
  ours: readonly number[],
  theirs: readonly number[],
  options?: BootstrapOptions,
): Estimate {
  return typical(
    ours.map((value, turn) => value - (theirs[turn] ?? Number.NaN)),
    options,
  );
}

/**
 * The value of a typical turn. Of few turns a percentile interval is too narrow, as one is that takes
 * the normal distribution for Student's (T. C. Hesterberg, "What Teachers Should Know About the
 * Bootstrap", 2015, section 4.1): it is widened by what a Student's quantile is greater, and by what
 * resampling makes the deviation smaller.
 */
export function typical(values: readonly number[], options?: BootstrapOptions): Estimate {
  const sorted = Float64Array.from(values).sort();
  const counts = new Uint32Array(sorted.length);
  const value = trimmedMean(values);
  const { low, high } = bootstrap(
    [values.length],
    ([picks = counts]) => {
      counts.fill(0);
      for (const pick of picks) counts[pick] = (counts[pick] as number) + 1;
      return trimmedMeanOf(sorted, counts);
    },
    options,
  );
  const widen = wideningOf(kept(values.length));
  return { value, low: value + widen * (low - value), high: value + widen * (high - value) };
}

/** @param count of values that a mean is taken of */
function wideningOf(count: number): number {
  const z = 1.96;
  const freedom = count - 1;
  // M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 26.7.5, to the first term.
  const student = 1 + (z ** 2 + 1) / (4 * freedom);
  return student * Math.sqrt(count / freedom);
}
