/** Choosing, building and measuring, again and again, as long as what was refused makes room for something else. */
import type { Catalog } from "../catalog.ts";
import type { Session } from "../database.ts";
import type { Candidate, Query, Select, WhatIf } from "../model.ts";
import { buildAll, propose } from "../propose.ts";
import { isPrefix } from "../select/redundancy.ts";
import { unseenBy } from "../unseen.ts";
import { isWritten } from "../upkeep.ts";
import { totalMs } from "../validate/difference.ts";
import type { Refusal } from "../validate/removals.ts";
import { type Evidence, type Verdict, validate } from "../validate.ts";
import { BuildFailed, type Builds } from "../whatif/builds.ts";

const ROUNDS = 3;
/** Of the call's time, what may be gone before another round is begun. */
const ROUND_SHARE = 0.6;

export interface Search {
  readonly scratch: Session;
  readonly evidence: Evidence;
  readonly catalog: Catalog;
  readonly candidates: readonly Candidate[];
  readonly whatIf: WhatIf;
  readonly select: Select;
  readonly behind: (query: Query) => ReadonlySet<string>;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

export interface Outcome {
  /** The best of all rounds. */
  readonly verdict: Verdict;
  readonly refused: readonly Refusal[];
  /** In bytes, of those that need not be built for that. */
  readonly estimates: ReadonlyMap<Candidate, number>;
  /** There was no time to look at everything, or to measure it. */
  readonly ranOut: boolean;
}

export async function search(from: Search): Promise<Outcome> {
  const { evidence, candidates, behind, whatIf, onProgress } = from;
  const { builds, deadline, queries } = evidence;
  const estimates = await estimatesOf(candidates, whatIf, builds);
  const wanted = unseenBy(candidates, queries, behind);
  const refused: Refusal[] = [...(await buildAll(builds, wanted))];
  const unseen = wanted.filter((candidate) => builds.find(candidate) !== undefined);
  let set: readonly Candidate[] = [];
  let verdict: Verdict | undefined;
  let ranOut = false;
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever chose in a hurry has not looked at everything.
    const kept = verdict?.set ?? [];
    const left = leftOf(candidates, refused, { kept, all: verdict === undefined || ranOut });
    onProgress(`choosing among ${left.length} indexes`);
    const proposal = await propose({ ...from, ...evidence, candidates: left, kept });
    refused.push(...proposal.refused);
    ranOut = proposal.ranOut;
    const fresh = unseen.filter((one) => !refused.some(({ candidate }) => candidate === one));
    const next = together(kept, [...proposal.set, ...fresh]);
    if (verdict && next.every((candidate) => set.includes(candidate))) break;
    set = next;
    onProgress(`building and measuring ${set.length} indexes`);
    await evidence.upkeep.calibrate(
      from.scratch,
      set.filter(({ index }) => isWritten(index, queries)),
    );
    const found = await validate(evidence, set);
    refused.push(...found.refused);
    const best = verdict && totalOf(evidence, verdict) < totalOf(evidence, found) ? verdict : found;
    verdict = { ...best, ranOut: found.ranOut };
    await builds.discard(
      found.refused.map(({ candidate }) => candidate).filter((one) => !best.set.includes(one)),
    );
    const isDone = found.refused.length === 0 && !ranOut;
    if (isDone || deadline.spent > ROUND_SHARE) break;
  }
  verdict ??= await validate(evidence, []);
  return { verdict, refused, estimates, ranOut: ranOut || verdict.ranOut };
}

function totalOf(evidence: Evidence, { before, after, set }: Verdict): number {
  return totalMs(evidence, before, after, set);
}

/** @param all else only what could serve statements that have lost an index */
function leftOf(
  candidates: readonly Candidate[],
  refused: readonly Refusal[],
  { kept, all }: { readonly kept: readonly Candidate[]; readonly all: boolean },
): readonly Candidate[] {
  const tried = new Set(refused.map(({ candidate }) => candidate));
  const left = candidates.filter((one) => !tried.has(one) && !kept.includes(one));
  if (all) return left;
  const lost = new Set(refused.flatMap(({ candidate }) => candidate.statements));
  return left.filter(({ statements }) => statements.some((statement) => lost.has(statement)));
}

async function estimatesOf(
  candidates: readonly Candidate[],
  whatIf: WhatIf,
  builds: Builds,
): Promise<ReadonlyMap<Candidate, number>> {
  const estimates = new Map<Candidate, number>();
  if (whatIf.kind !== "hypopg") return estimates;
  for (const candidate of candidates) {
    if (!candidate.hypothetical || builds.find(candidate)) continue;
    try {
      estimates.set(candidate, await whatIf.size(candidate));
    } catch (error) {
      // Whoever builds it is told why it can't be.
      if (!(error instanceof BuildFailed)) throw error;
    }
  }
  return estimates;
}

/** What was kept, and what is new; of two of which one is the other's beginning, the longer. */
function together(kept: readonly Candidate[], wanted: readonly Candidate[]): readonly Candidate[] {
  const all = [...new Set([...kept, ...wanted])];
  return all.filter(
    ({ index }) => !all.some((other) => other.index !== index && isPrefix(index, other.index)),
  );
}
