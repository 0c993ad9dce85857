import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { type Estimate, trimmedMean } from "./estimate.ts";

/**
 * As many turns make a true difference of 10 % show at least 80 % of the time, on a machine as noisy as
 * `test/noise.ts` describes. Even, so that as many turns begin with one contender as with the other.
 */
export const DEFAULT_TURNS = 32;

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

/** The value of a typical turn. */
export function typical(values: readonly number[], options?: BootstrapOptions): Estimate {
  const drawn = new Float64Array(values.length);
  const interval = bootstrap(
    [values.length],
    ([picks]) => {
      for (let i = 0; i < drawn.length; i++) drawn[i] = values[picks?.[i] as number] as number;
      return trimmedMean(drawn);
    },
    options,
  );
  return { value: trimmedMean(values), ...interval };
}
