/** What has to go from a set: what gains nothing, what does harm, what is over the budget. */
import type { Timing } from "../measure/timing.ts";
import type { Candidate } from "../model.ts";
import { isWritten } from "../upkeep.ts";
import type { Evidence } from "../validate.ts";
import { keyOf } from "../whatif/builds.ts";
import { differenceMs, totalMs } from "./difference.ts";
import type { Gain, Lack } from "./gain.ts";

export interface Refusal {
  readonly candidate: Candidate;
  readonly why: string;
}

interface Measured {
  readonly set: readonly Candidate[];
  readonly gains: ReadonlyMap<Candidate, Gain>;
  readonly before: readonly Timing[];
  readonly after: readonly Timing[];
}

/** @returns the first has to go; the others may, unless the first one's going changes something for them */
export function removalsOf(from: Evidence, measured: Measured): readonly Refusal[] {
  const { builds, budgetBytes } = from;
  const { set, gains } = measured;
  const size = (candidate: Candidate) => builds.find(candidate)?.sizeBytes ?? 0;
  const gain = (candidate: Candidate) => gains.get(candidate)?.ms ?? 0;
  // The larger of two that do the same goes first.
  const ordered = set.toSorted((a, b) => gain(a) - gain(b) || size(b) - size(a));
  const useless = ordered.filter((one) => gain(one) <= 0 || gains.get(one)?.helps.length === 0);
  if (useless.length > 0) {
    return useless.map((candidate) => ({ candidate, why: reasonFor(gains.get(candidate)) }));
  }
  const bytes = set.reduce((sum, one) => sum + size(one), 0);
  if (bytes > budgetBytes) {
    const [dearest] = set.toSorted((a, b) => gain(a) / size(a) - gain(b) / size(b));
    const why = `Over budget: it takes ${dearest ? size(dearest) : 0} bytes, and others save more time per byte.`;
    return dearest ? [{ candidate: dearest, why }] : [];
  }
  return harmOf(from, measured);
}

/**
 * Each may gain something beside the others and all together nothing: two that lead a statement into the same
 * bad plan each make no difference there when the other one is left.
 */
function harmOf(from: Evidence, { set, gains, before, after }: Measured): readonly Refusal[] {
  const saved = totalMs(from, before, before, []) - totalMs(from, before, after, set);
  if (saved > 0) return [];
  const lossOf = (candidate: Candidate) =>
    from.queries.reduce((sum, { calls }, q) => {
      const [was, is] = [before[q], after[q]];
      if (was === undefined || is === undefined || !is.uses.has(keyOf(candidate))) return sum;
      return sum + calls * Math.max(0, -differenceMs(was, is));
    }, 0);
  const balance = (candidate: Candidate) => (gains.get(candidate)?.ms ?? 0) - lossOf(candidate);
  const [worst] = set.toSorted((a, b) => balance(a) - balance(b));
  const why = `With all that it was chosen with, the workload takes ${(-saved).toFixed(2)} ms longer than without any of them.`;
  return worst ? [{ candidate: worst, why }] : [];
}

interface Removed {
  readonly candidate: Candidate;
  /** Positions of the queries whose plans change. */
  readonly changed: readonly number[];
  readonly lack: Lack;
}

/**
 * Those that can go at once: no statement changes its plan for two of them, none falls back on another one of
 * them, and no write gets cheaper for the other one by the first one's going.
 */
export function apart(
  { queries }: Evidence,
  removals: readonly Refusal[],
  lacks: readonly Lack[],
): readonly Refusal[] {
  const gone: Removed[] = [];
  return removals.filter(({ candidate }) => {
    const lack = lacks.find((one) => one.candidate === candidate);
    if (lack === undefined) return false;
    const changed = lack.after.flatMap((is, q) =>
      is.signature === lack.without[q]?.signature ? [] : [q],
    );
    const one = { candidate, changed, lack };
    const isFree = gone.every(
      (other) =>
        !changed.some((q) => other.changed.includes(q)) &&
        !needs(one, other) &&
        !needs(other, one) &&
        !(isSameTable(one, other) && isWritten(candidate.index, queries)),
    );
    if (isFree) gone.push(one);
    return isFree;
  });
}

function needs({ changed, lack }: Removed, { candidate }: Removed): boolean {
  const key = keyOf(candidate);
  return changed.some((q) => lack.without[q]?.uses.has(key));
}

function isSameTable({ candidate: { index: a } }: Removed, { candidate: { index: b } }: Removed) {
  return a.schema === b.schema && a.table === b.table;
}

function reasonFor(gain: Gain | undefined): string {
  const ms = gain?.ms ?? 0;
  if (ms < 0) {
    return `Measured, the workload takes ${(-ms).toFixed(2)} ms longer with it: statements that it leads to slower plans, or writes that have to keep it up, pay more than others save.`;
  }
  return `It didn't help when measured: without it, but with all the others, the workload takes ${ms.toFixed(2)} ms more, which is nothing or noise.`;
}
