/** What is worth being built and measured: what the planner likes as a set. */
import type { Catalog } from "./catalog.ts";
import type { Deadline } from "./database.ts";
import type { Timing } from "./measure/timing.ts";
import type { Candidate, Query, Select, WhatIf } from "./model.ts";
import { optimistic } from "./propose/sizes.ts";
import type { Upkeep } from "./upkeep.ts";
import type { Refusal } from "./validate/removals.ts";
import { BuildFailed, type Builds } from "./whatif/builds.ts";

/** How far a statement's milliseconds per unit of cost may be from the workload's: beyond, one of the two lies. */
const MOST_BIAS = 30;
/** How often the sizes that building has shown may lead to another choice. */
const CHOICES = 8;
/** Of the time that is left, what choosing may take until every size is known, and the last choice after that. */
const CHOOSING_SHARE = 0.3;
const LAST_SHARE = 0.15;

export interface Proposing {
  readonly deadline: Deadline;
  readonly select: Select;
  readonly queries: readonly Query[];
  /** In the order of `queries`, without any new index. */
  readonly before: readonly Timing[];
  readonly candidates: readonly Candidate[];
  /** What was chosen before, measured, and stays. */
  readonly kept: readonly Candidate[];
  readonly catalog: Catalog;
  readonly whatIf: WhatIf;
  readonly builds: Builds;
  readonly upkeep: Upkeep;
  readonly budgetBytes: number;
  readonly signal: AbortSignal;
}

export interface Proposal {
  /** All of them built. */
  readonly set: readonly Candidate[];
  readonly refused: readonly Refusal[];
  /** There was no time to look at everything. */
  readonly ranOut: boolean;
}

/** Chooses by cost, builds, and chooses again where real sizes are others than what was reckoned with. */
export async function propose(from: Proposing): Promise<Proposal> {
  const { builds, deadline } = from;
  const late = AbortSignal.timeout(deadline.share(CHOOSING_SHARE));
  const isLimited = Number.isFinite(from.budgetBytes);
  const whatIf = isLimited ? optimistic(from.whatIf, builds, from.catalog) : from.whatIf;
  const choose = chooser({ ...from, whatIf });
  const isBuilt = (candidate: Candidate) => builds.find(candidate) !== undefined;
  const refused: Refusal[] = [];
  const tried = new Set<Candidate>();
  let candidates = from.candidates;
  let set: readonly Candidate[] = [];
  for (let i = 0; i < CHOICES; i++) {
    // A choice that was made by sizes that nobody has seen may be too large: at the end only what is there counts.
    const isLast = i > 0 && (i === CHOICES - 1 || late.aborted);
    set = isLast
      ? await choose(candidates.filter(isBuilt), AbortSignal.timeout(deadline.share(LAST_SHARE)))
      : await choose(candidates, late);
    const fresh = set.filter((candidate) => !isBuilt(candidate));
    for (const candidate of fresh) tried.add(candidate);
    const failed = await buildAll(builds, fresh);
    refused.push(...failed);
    candidates = candidates.filter((one) => !failed.some(({ candidate }) => candidate === one));
    if (fresh.length === 0 || (!isLimited && failed.length === 0)) break;
  }
  set = set.filter(isBuilt);
  // Sizes that differ each time may never settle.
  while (bytesOf(builds, set) > from.budgetBytes) set = set.slice(0, -1);
  const left = [...tried].filter((one) => !set.includes(one) && one.hypothetical);
  if (from.whatIf.kind === "hypopg") await builds.discard(left);
  return { set, refused, ranOut: late.aborted };
}

/** @returns those that can't be built */
export async function buildAll(
  builds: Builds,
  wanted: readonly Candidate[],
): Promise<readonly Refusal[]> {
  const refused: Refusal[] = [];
  for (const candidate of wanted) {
    try {
      await builds.build(candidate);
    } catch (error) {
      if (!(error instanceof BuildFailed)) throw error;
      refused.push({ candidate, why: `It can't be built: ${error.message}` });
    }
  }
  return refused;
}

function bytesOf(builds: Builds, set: readonly Candidate[]): number {
  return set.reduce((sum, candidate) => sum + (builds.find(candidate)?.sizeBytes ?? 0), 0);
}

function chooser(from: Proposing) {
  const { queries, before, kept, upkeep, whatIf, budgetBytes, signal } = from;
  const units = unitsOf(queries, before);
  const unitOf = new Map(queries.map(({ statement }, q) => [statement, units[q] ?? 0]));
  const writes = new Map(queries.map(({ statement }, q) => [statement, before[q]?.writes ?? []]));
  // Calls that make cost comparable between statements: cost × calls is then what was measured.
  const weighed = queries.map((query, q) => ({ ...query, calls: query.calls * (units[q] ?? 0) }));
  /** @param late when it has to come to an end */
  return (candidates: readonly Candidate[], late: AbortSignal) =>
    from.select({
      queries: weighed,
      candidates,
      kept,
      whatIf,
      budgetBytes,
      signal: AbortSignal.any([signal, late]),
      writeCost: (query, candidate) =>
        upkeep.ms(query, [candidate], writes.get(query.statement) ?? []) /
        (unitOf.get(query.statement) || 1),
    });
}

/**
 * Milliseconds per unit of the planner's cost, by query, as measured without new indexes. A statement that was
 * stopped tells nothing of the others: it has the cost of weeks, and the time of its limit.
 */
function unitsOf(queries: readonly Query[], before: readonly Timing[]): readonly number[] {
  const isStopped = ({ failure }: Timing) => failure?.stopped === true;
  const sum = (of: (timing: Timing) => number) =>
    queries.reduce((total, { calls }, q) => {
      const timing = before[q];
      return total + (timing && !isStopped(timing) ? calls * of(timing) : 0);
    }, 0);
  const usual =
    sum(({ medianMs }) => medianMs) /
    Math.max(
      sum(({ cost }) => cost),
      1e-9,
    );
  return before.map((timing) => {
    const own = timing.medianMs / Math.max(timing.cost, 1e-9);
    if (isStopped(timing)) return own;
    return Math.min(Math.max(own, usual / MOST_BIAS), usual * MOST_BIAS) || 1e-6;
  });
}
