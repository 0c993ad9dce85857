import { bootstrap } from "@db-katas/measure";
import { brierOf, type Resolved } from "./brier.ts";
import type { Standing } from "./standings.ts";

/** A range that counts, and the figure that should have been in it, in base units. */
export interface ResolvedRange {
  readonly kata: string;
  readonly id: string;
  readonly at: string;
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  readonly figure: number;
}

export interface Share {
  readonly count: number;
  readonly came: number;
  /** Where the true share lies with 95 % confidence. */
  readonly low: number;
  readonly high: number;
}

/** Forecasts that said about the same. */
export interface Bin extends Share {
  readonly from: number;
  readonly to: number;
  /** Mean of what was said. */
  readonly said: number;
}

export interface Score {
  readonly count: number;
  readonly came: number;
  /** Mean of (probability − outcome)²: 0 for who is always right and sure of it, 1 for the contrary. */
  readonly brier: number;
  /** What somebody would have got who says the share that came true each time, knowing it beforehand. */
  readonly brierOfBaseRate: number;
  /** How much better than that, with 95 % confidence; absent where there are too few to tell. */
  readonly advantage?: { readonly low: number; readonly high: number };
  /** Those that are not empty. */
  readonly bins: readonly Bin[];
  /** In the order in which they were measured: exercise by exercise, day by day. */
  readonly overTime: readonly Period[];
  readonly ranges: Share;
}

export interface Period {
  readonly day: string;
  readonly kata: string;
  readonly count: number;
  readonly brier: number;
}

/** With fewer forecasts, the interval of a share of one half is more than 40 points wide. */
export const FEWEST = 20;

const BINS = 5;

/** Those of somebody's predictions that count and have been decided. */
export function resolvedOf(
  kata: string,
  standings: readonly Standing[],
): { forecasts: Resolved[]; ranges: ResolvedRange[] } {
  const forecasts: Resolved[] = [];
  const ranges: ResolvedRange[] = [];
  for (const { about, id, prediction, measurement } of standings) {
    const outcome = measurement?.outcome;
    if (!prediction || !outcome) continue;
    const { at, came, said, figure } = outcome;
    if (about !== "figure") {
      forecasts.push({ kata, about, id, at, probability: prediction.probability, came, said });
    } else if (figure !== undefined) {
      const { low, high, unit } = prediction;
      ranges.push({ kata, id, at, low, high, unit, figure });
    }
  }
  return { forecasts, ranges };
}

/** How well somebody knew, over all that was decided. */
export function scoreOf(forecasts: readonly Resolved[], ranges: readonly ResolvedRange[]): Score {
  const ordered = forecasts.toSorted((one, other) => (one.at < other.at ? -1 : 1));
  const count = ordered.length;
  const came = cameIn(ordered);
  const baseRate = came / count;
  return {
    count,
    came,
    brier: brierOf(ordered),
    brierOfBaseRate: baseRate * (1 - baseRate),
    ...(count >= FEWEST && { advantage: advantageOf(ordered) }),
    bins: binsOf(ordered),
    overTime: overTime(ordered),
    ranges: shareOf(ranges.length, ranges.filter(isInside).length),
  };
}

export function isInside({ low, high, figure }: ResolvedRange): boolean {
  return low <= figure && figure <= high;
}

function cameIn(forecasts: readonly Resolved[]): number {
  return forecasts.filter(({ came }) => came).length;
}

function advantageOf(forecasts: readonly Resolved[]): { low: number; high: number } {
  return bootstrap([forecasts.length], ([picks]) => {
    const drawn = Array.from(picks ?? [], (index) => forecasts[index] as Resolved);
    const rate = cameIn(drawn) / drawn.length;
    return rate * (1 - rate) - brierOf(drawn);
  });
}

function binsOf(forecasts: readonly Resolved[]): Bin[] {
  const binOf = ({ probability }: Resolved) => Math.min(Math.floor(probability * BINS), BINS - 1);
  const groups = Map.groupBy(forecasts, binOf);
  return [...groups]
    .sort(([one], [other]) => one - other)
    .map(([index, group]) => {
      const sum = group.reduce((total, { probability }) => total + probability, 0);
      const share = shareOf(group.length, cameIn(group));
      return { from: index / BINS, to: (index + 1) / BINS, said: sum / group.length, ...share };
    });
}

function overTime(forecasts: readonly Resolved[]): Period[] {
  const periods = Map.groupBy(forecasts, ({ at, kata }) => `${at.slice(0, 10)} ${kata}`);
  return [...periods.values()].map((group) => ({
    day: group[0]?.at.slice(0, 10) ?? "",
    kata: group[0]?.kata ?? "",
    count: group.length,
    brier: brierOf(group),
  }));
}

/**
 * A share with its interval after E. B. Wilson, "Probable inference, the law of succession, and statistical
 * inference" (1927), which is honest for few trials, and for none: 0 … 1.
 */
export function shareOf(count: number, came: number): Share {
  const z = 1.959964;
  const p = count === 0 ? 0.5 : came / count;
  const middle = (count * p + z ** 2 / 2) / (count + z ** 2);
  const half = (z / (count + z ** 2)) * Math.sqrt(count * p * (1 - p) + z ** 2 / 4);
  return { count, came, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}
