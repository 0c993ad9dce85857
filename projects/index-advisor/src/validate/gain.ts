/** What one index does for the workload, beside the others. */
import type { Timing } from "../measure/timing.ts";
import type { Candidate, Query } from "../model.ts";
import type { Upkeep } from "../upkeep.ts";
import { keyOf } from "../whatif/builds.ts";
import { differenceMs } from "./difference.ts";

export interface Gain {
  /** Σ calls × ms that the workload takes longer when this index alone is taken away; writes' upkeep off. At least: what took many times as long was stopped. */
  readonly ms: number;
  /** Σ calls × ms of spread in what was compared. */
  readonly noiseMs: number;
  /** Positions among the queries of those that it makes faster. */
  readonly helps: readonly number[];
}

/** What is measured when one index of a set is taken away. */
export interface Lack {
  readonly candidate: Candidate;
  readonly set: readonly Candidate[];
  readonly before: readonly Timing[];
  readonly after: readonly Timing[];
  /** The set without the index, and how long statements take then. */
  readonly rest: readonly Candidate[];
  readonly without: readonly Timing[];
}

export function gainOf(
  { queries, upkeep }: { readonly queries: readonly Query[]; readonly upkeep: Upkeep },
  { candidate, set, before, after, rest, without }: Lack,
): Gain {
  let ms = 0;
  let noiseMs = 0;
  const helps: number[] = [];
  const key = keyOf(candidate);
  queries.forEach((query, q) => {
    const [was, is, lacking] = [before[q], after[q], without[q]];
    if (was === undefined || is === undefined || lacking === undefined) return;
    const faster = differenceMs(lacking, is);
    const paid = upkeep.ms(query, set, was.writes);
    ms += query.calls * (faster - paid + upkeep.ms(query, rest, was.writes));
    if (lacking.signature !== is.signature) {
      noiseMs += query.calls * (lacking.spreadMs + is.spreadMs);
    }
    const serves = faster > 0 || is.uses.has(key);
    if (serves && differenceMs(was, is) > paid) helps.push(q);
  });
  return { ms, noiseMs, helps };
}

/** It is in no plan, and writes that it could speed up behind EXPLAIN's back take the same time. */
export function isIdle(
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
