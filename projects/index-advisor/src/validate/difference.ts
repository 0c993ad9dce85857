/** Whether one timing is better than another, and by how much: what can't be told from noise is no difference. */
import type { Part, Timing } from "../measure/timing.ts";
import type { Candidate, Query } from "../model.ts";
import type { Upkeep } from "../upkeep.ts";

/** A statement must be this much faster, as a share: less is seen where nothing has changed. */
const LEAST_SHARE = 0.1;
/** In milliseconds: timers and the server's own steps are no finer. */
const LEAST_MS = 0.02;
/** The same where there were fewer runs than this, among which there may be no quiet one. */
const FEW_RUNS_SHARE = 0.25;
const FEW_RUNS = 4;
/** Below this many pages, half of them is nothing. */
const FEW_BLOCKS = 10;

/** Σ calls × (measured + upkeep), in milliseconds. What doesn't differ from `before` beyond noise is taken from there. */
export function totalMs(
  { queries, upkeep }: { readonly queries: readonly Query[]; readonly upkeep: Upkeep },
  before: readonly Timing[],
  after: readonly Timing[],
  set: readonly Candidate[],
): number {
  return queries.reduce((sum, query, q) => {
    const [was, is] = [before[q], after[q]];
    if (was === undefined || is === undefined) return sum;
    const ms = was.medianMs - differenceMs(was, is) + upkeep.ms(query, set, was.writes);
    return sum + query.calls * ms;
  }, 0);
}

/**
 * By instance, because a rare value's may be the one that an index is for. The quickest runs decide whether there
 * is a difference, because on a busy machine medians wander; medians say how large it is, and must agree.
 *
 * @returns milliseconds that `b` takes less than `a`; 0 where that may be noise
 */
export function differenceMs(a: Timing, b: Timing): number {
  return a.parts.reduce((sum, part, i) => {
    const other = b.parts[i];
    return other ? sum + part.share * differenceOf(part, other) : sum;
  }, 0);
}

function differenceOf(a: Part, b: Part): number {
  if (a.signature === b.signature) return 0;
  const difference = a.medianMs - b.medianMs;
  // What was stopped takes at least that long: it can be seen to be the slower one, never the faster.
  if ((a.isStopped && difference < 0) || (b.isStopped && difference > 0)) return 0;
  const quickest = a.quickestMs - b.quickestMs;
  if (Math.sign(difference) !== Math.sign(quickest)) return 0;
  const share = Math.min(a.runs, b.runs) < FEW_RUNS ? FEW_RUNS_SHARE : LEAST_SHARE;
  const least = Math.max(LEAST_MS, share * Math.max(a.quickestMs, b.quickestMs));
  if (Math.abs(quickest) >= least) return difference;
  // So short that time can't tell; pages can, as long as both say the same.
  const [fewer, more] = difference > 0 ? [b.blocks, a.blocks] : [a.blocks, b.blocks];
  return more > FEW_BLOCKS && fewer * 2 <= more ? difference : 0;
}
