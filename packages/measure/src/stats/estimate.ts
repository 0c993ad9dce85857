import { ascending, quantileSorted } from "d3-array";

/** Where a value lies, with 95 % confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** A value with its interval, in the unit of what was measured. */
export interface Estimate extends Interval {
  readonly value: number;
}

/** How two sides are compared. There is no "equal": no measurement could ever show it. */
export const comparators = ["<", "<=", ">", ">="] as const;
export type Comparator = (typeof comparators)[number];

export type Judgement = "held" | "falsified" | "inconclusive";

/**
 * Whether what was measured, anywhere in its interval, stands so to a bound. It is inconclusive when
 * the interval straddles the bound, or when there is none.
 */
export function judge({ low, high }: Interval, comparator: Comparator, bound: number): Judgement {
  if (Number.isNaN(low) || Number.isNaN(high)) return "inconclusive";
  const holds = compare[comparator];
  const [atLow, atHigh] = [holds(low, bound), holds(high, bound)];
  if (atLow !== atHigh) return "inconclusive";
  return atLow ? "held" : "falsified";
}

const compare: { readonly [comparator in Comparator]: (one: number, other: number) => boolean } = {
  "<": (one, other) => one < other,
  "<=": (one, other) => one <= other,
  ">": (one, other) => one > other,
  ">=": (one, other) => one >= other,
};

export function meets(value: number, comparator: Comparator, bound: number): boolean {
  return compare[comparator](value, bound);
}

/** Several that must hold together: one that is falsified is enough to falsify them. */
export function together(judgements: readonly Judgement[]): Judgement {
  if (judgements.includes("falsified")) return "falsified";
  return judgements.includes("inconclusive") ? "inconclusive" : "held";
}

/**
 * The mean of what remains without the lowest and the highest fifth. Turns that met a busy moment of
 * the machine don't move it, and it wastes less than a median does: R. R. Wilcox, "Introduction to
 * Robust Estimation and Hypothesis Testing" (2012), section 3.3, recommends 20 % for general use.
 */
export function trimmedMean(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return trimmedMeanOf(sorted, new Uint32Array(sorted.length).fill(1));
}

/** Likewise of values in rising order of which each counts so many times: as many in all as there are values. */
export function trimmedMeanOf(sorted: Float64Array, counts: Uint32Array): number {
  const all = sorted.length;
  const cut = (all - kept(all)) / 2;
  let before = 0;
  let sum = 0;
  for (let i = 0; i < all; i++) {
    const after = before + (counts[i] as number);
    const inside = Math.min(after, all - cut) - Math.max(before, cut);
    if (inside > 0) sum += inside * (sorted[i] as number);
    before = after;
  }
  return sum / kept(all);
}

/** How many of so many values a trimmed mean is of. */
export function kept(count: number): number {
  return count - 2 * Math.floor(count / 5);
}

/** The middle 95 % of some values. */
export function middle(values: Iterable<number>): Interval {
  const sorted = [...values].sort(ascending);
  const tail = 0.025;
  return {
    low: quantileSorted(sorted, tail) ?? Number.NaN,
    high: quantileSorted(sorted, 1 - tail) ?? Number.NaN,
  };
}

/**
 * How many turns would decide in four of five runs, if the true value is what was measured: intervals
 * shrink with the square root of turns. J. Cohen, "Statistical Power Analysis for the Behavioral
 * Sciences" (1988), chapter 2, with 95 % confidence and a power of 80 %.
 * @param scale what makes errors alike on both sides; a logarithm for ratios
 * @param turns that the estimate comes from
 * @returns Infinity when what was measured is the bound itself, NaN without an interval
 */
export function turnsToDecide(
  { value, low, high }: Estimate,
  bound: number,
  turns: number,
  scale: (value: number) => number = (each) => each,
): number {
  const distance = scale(bound) - scale(value);
  const reach = distance > 0 ? scale(high) - scale(value) : scale(value) - scale(low);
  const [confidence, power] = [1.96, 0.84];
  return Math.ceil(turns * ((reach / distance) * (1 + power / confidence)) ** 2);
}
