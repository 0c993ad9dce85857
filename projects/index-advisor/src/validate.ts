/**
 * The last word: what was chosen is really there, and each index has to show that the workload is slower
 * without it. What can't be told from noise doesn't count as a gain.
 */
import type { Deadline } from "./database.ts";
import type { Bench, Part, Timing } from "./measure.ts";
import type { Candidate, Query } from "./model.ts";
import type { Upkeep } from "./upkeep.ts";
import { type Builds, keyOf } from "./whatif/builds.ts";

/** A statement must be this much faster, as a share: less is seen where nothing has changed. */
const LEAST_SHARE = 0.1;
/** In milliseconds: timers and the server's own steps are no finer. */
const LEAST_MS = 0.02;
/** The same where there were fewer runs than this, among which there may be no quiet one. */
const FEW_RUNS_SHARE = 0.25;
const FEW_RUNS = 4;
/** Below this many pages, half of them is nothing. */
const FEW_BLOCKS = 10;

/** Of the call's time, what may be gone before measurements are saved. */
const MEASURING_SHARE = 0.6;

export interface Gain {
  /** Σ calls × ms that the workload takes longer when this index alone is taken away; writes' upkeep off. */
  readonly ms: number;
  /** Σ calls × ms of spread in what was compared. */
  readonly noiseMs: number;
  /** Positions among the queries of those that it makes faster. */
  readonly helps: readonly number[];
}

export interface Refusal {
  readonly candidate: Candidate;
  readonly why: string;
}

export interface Verdict {
  readonly set: readonly Candidate[];
  readonly gains: ReadonlyMap<Candidate, Gain>;
  readonly before: readonly Timing[];
  readonly after: readonly Timing[];
  readonly refused: readonly Refusal[];
}

export interface Evidence {
  readonly deadline: Deadline;
  readonly queries: readonly Query[];
  readonly bench: Bench;
  readonly builds: Builds;
  readonly upkeep: Upkeep;
  readonly budgetBytes: number;
}

/** @param chosen all of them built; it may be over the budget, and what is kept of it isn't */
export async function validate(from: Evidence, chosen: readonly Candidate[]): Promise<Verdict> {
  const { queries, bench } = from;
  const refused: Refusal[] = [];
  let set = chosen;
  for (;;) {
    const [before = [], after = []] = await bench.measure(queries, [[], set]);
    const idle = set.filter((candidate) => isIdle(candidate, before, after));
    if (idle.length > 0) {
      refused.push(
        ...idle.map((candidate) => ({ candidate, why: "No plan of the workload uses it." })),
      );
      set = set.filter((candidate) => !idle.includes(candidate));
      continue;
    }
    const gains = new Map<Candidate, Gain>();
    for (const one of set) {
      const rest = set.filter((other) => other !== one);
      // Where there is no time to see what lacks without each of them, the planner says it.
      const [without = []] =
        from.deadline.spent > MEASURING_SHARE
          ? [await bench.reckon(queries, rest, before, after)]
          : await bench.measure(queries, [rest]);
      gains.set(one, gainOf(from, one, { set, before, after, rest, without }));
    }
    const worst = worstOf(from, set, gains);
    if (worst === undefined) return { set, gains, before, after, refused };
    refused.push(worst);
    set = set.filter((candidate) => candidate !== worst.candidate);
  }
}

/** Σ calls × (measured + upkeep), in milliseconds. What doesn't differ from `before` beyond noise is taken from there. */
export function totalMs(
  { queries, upkeep }: Pick<Evidence, "queries" | "upkeep">,
  before: readonly Timing[],
  after: readonly Timing[],
  set: readonly Candidate[],
): number {
  return queries.reduce((sum, query, q) => {
    const [was, is] = [before[q], after[q]];
    if (was === undefined || is === undefined) return sum;
    const ms = was.medianMs - differenceMs(was, is) + upkeep.ms(query, set, was.rowsWritten);
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
  const quickest = a.quickestMs - b.quickestMs;
  if (Math.sign(difference) !== Math.sign(quickest)) return 0;
  const share = Math.min(a.runs, b.runs) < FEW_RUNS ? FEW_RUNS_SHARE : LEAST_SHARE;
  const least = Math.max(LEAST_MS, share * Math.max(a.quickestMs, b.quickestMs));
  if (Math.abs(quickest) >= least) return difference;
  // So short that time can't tell; pages can, as long as both say the same.
  const [fewer, more] = difference > 0 ? [b.blocks, a.blocks] : [a.blocks, b.blocks];
  return more > FEW_BLOCKS && fewer * 2 <= more ? difference : 0;
}

interface Comparison {
  readonly set: readonly Candidate[];
  readonly before: readonly Timing[];
  readonly after: readonly Timing[];
  /** The set without the index, and how long statements take then. */
  readonly rest: readonly Candidate[];
  readonly without: readonly Timing[];
}

function gainOf(
  { queries, upkeep }: Evidence,
  candidate: Candidate,
  { set, before, after, rest, without }: Comparison,
): Gain {
  let ms = 0;
  let noiseMs = 0;
  const helps: number[] = [];
  const key = keyOf(candidate);
  queries.forEach((query, q) => {
    const [was, is, lacking] = [before[q], after[q], without[q]];
    if (was === undefined || is === undefined || lacking === undefined) return;
    const faster = differenceMs(lacking, is);
    const rows = was.rowsWritten;
    const kept = upkeep.ms(query, set, rows) - upkeep.ms(query, rest, rows);
    ms += query.calls * (faster - kept);
    if (lacking.signature !== is.signature) {
      noiseMs += query.calls * (lacking.spreadMs + is.spreadMs);
    }
    const serves = faster > 0 || is.uses.has(key);
    if (serves && differenceMs(was, is) > 0) helps.push(q);
  });
  return { ms, noiseMs, helps };
}

/** It is in no plan, and writes that it could speed up behind EXPLAIN's back take the same time. */
function isIdle(
  candidate: Candidate,
  before: readonly Timing[],
  after: readonly Timing[],
): boolean {
  const key = keyOf(candidate);
  return after.every(
    (timing, q) =>
      !timing.uses.has(key) &&
      (timing.signature === before[q]?.signature || !timing.signature.includes(key)),
  );
}

/** @returns what has to go next, or nothing */
function worstOf(
  { builds, budgetBytes }: Evidence,
  set: readonly Candidate[],
  gains: ReadonlyMap<Candidate, Gain>,
): Refusal | undefined {
  const size = (candidate: Candidate) => builds.find(candidate)?.sizeBytes ?? 0;
  const gain = (candidate: Candidate) => gains.get(candidate)?.ms ?? 0;
  // The larger of two that do the same goes first.
  const ordered = set.toSorted((a, b) => gain(a) - gain(b) || size(b) - size(a));
  const useless = ordered.find((one) => gain(one) <= 0 || gains.get(one)?.helps.length === 0);
  if (useless) return { candidate: useless, why: reasonFor(gains.get(useless)) };
  const bytes = set.reduce((sum, one) => sum + size(one), 0);
  if (bytes <= budgetBytes) return undefined;
  const [dearest] = set.toSorted((a, b) => gain(a) / size(a) - gain(b) / size(b));
  return (
    dearest && {
      candidate: dearest,
      why: `Over budget: it takes ${size(dearest)} bytes, and others save more time per byte.`,
    }
  );
}

function reasonFor(gain: Gain | undefined): string {
  const ms = gain?.ms ?? 0;
  if (ms < 0) {
    return `Measured, the workload takes ${(-ms).toFixed(2)} ms longer with it: what it saves reads, writes pay.`;
  }
  return `It didn't help when measured: without it, but with all the others, the workload takes ${ms.toFixed(2)} ms more, which is nothing or noise.`;
}
