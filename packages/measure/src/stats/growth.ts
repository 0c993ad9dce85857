import { cross, median } from "d3-array";
import { type BootstrapOptions, bootstrap } from "./bootstrap.ts";
import { type Estimate, trimmedMean } from "./estimate.ts";

/** What was measured at one size, a value for each turn. */
export interface AtSize {
  readonly size: number;
  readonly values: readonly number[];
}

export interface Growth {
  /** Of the size, in cost = c · size^exponent: 0 is constant, 1 is linear. */
  readonly exponent: Estimate;
  /**
   * By which factor the worst size is off that curve. Far from 1, cost is no power of the size, and the
   * exponent says little.
   */
  readonly worstFit: number;
}

/** Through fewer sizes anything can be laid. */
export const FEWEST_SIZES = 4;

/**
 * How cost grows with size: the slope of a line through their logarithms, which is the median of the
 * slopes between any two sizes (H. Theil, 1950; P. K. Sen, 1968), so that one odd size doesn't tilt it.
 * The interval is that of measuring; whether a line is the right thing, `worstFit` says.
 * @throws RangeError for fewer than {@link FEWEST_SIZES} different sizes, or values that aren't positive
 */
export function growth(points: readonly AtSize[], options?: BootstrapOptions): Growth {
  const sizes = points.map(({ size }) => Math.log(size));
  const logs = points.map(({ values }) => values.map(Math.log));
  if (new Set(sizes).size < FEWEST_SIZES) {
    throw new RangeError(`Growth takes at least ${FEWEST_SIZES} sizes.`);
  }
  if (![...sizes, ...logs.flat()].every(Number.isFinite)) {
    throw new RangeError("Growth takes positive sizes and values.");
  }
  const costs = logs.map(trimmedMean);
  const exponent = slope(sizes, costs);
  const drawn = logs.map((values) => new Float64Array(values.length));
  const interval = bootstrap(
    logs.map((values) => values.length),
    (picks) => {
      picks.forEach((group, k) => {
        group.forEach((pick, i) => {
          (drawn[k] as Float64Array)[i] = logs[k]?.[pick] as number;
        });
      });
      return slope(sizes, drawn.map(trimmedMean));
    },
    options,
  );
  const offsets = costs.map((cost, i) => cost - exponent * (sizes[i] as number));
  const usual = median(offsets) as number;
  const off = Math.max(...offsets.map((offset) => Math.abs(offset - usual)));
  return { exponent: { value: exponent, ...interval }, worstFit: Math.exp(off) };
}

function slope(sizes: readonly number[], costs: readonly number[]): number {
  const indexes = sizes.keys().toArray();
  const slopes = cross(indexes, indexes)
    .filter(([one, other]) => (sizes[one] as number) < (sizes[other] as number))
    .map(
      ([one, other]) =>
        ((costs[other] as number) - (costs[one] as number)) /
        ((sizes[other] as number) - (sizes[one] as number)),
    );
  return median(slopes) as number;
}
