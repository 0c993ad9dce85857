/**
 * Task 3: from candidates to a set, in DTA's three steps. For each statement by itself, the best set; of all of
 * these, the merged ones besides; from what that makes, the best set for the workload under the budget.
 */
import type { Builder, Candidate } from "./built.ts";
import { merged } from "./candidates.ts";
import { bodyOf, type Definition } from "./definitions.ts";
import { greedy } from "./greedy.ts";
import type { Prices } from "./prices.ts";
import type { Query } from "./queries.ts";

/** For one statement: seldom do more than two indexes work together on it, for each table that it joins. */
const PER_QUERY = { m: 2, k: 4 };
/** For the workload, `m` is 3 while few are left to choose from. */
const PER_WORKLOAD = { k: 40, few: 12 };
/** Besides the best set of a statement, so many of the indexes that help it by themselves stay in the race. */
const RUNNERS_UP = 3;
/** What makes a statement faster makes it so by at least this share. */
const WORTHWHILE = 0.1;
/** Each has to be built to be tried. */
const MOST_MERGED = 16;

export interface Selection {
  readonly queries: readonly Query[];
  readonly builder: Builder;
  readonly prices: Prices;
  readonly budgetBytes: number;
  /** By `Date.now()`. */
  readonly until: number;
}

export async function selected(selection: Selection): Promise<readonly Candidate[]> {
  const { queries, builder, prices, budgetBytes, until } = selection;
  const useful = new Set<Candidate>();
  const bundles: (readonly Candidate[])[] = [];
  const halfway = Date.now() + (until - Date.now()) / 2;
  const tried: Query[] = [];
  for (const [at, query] of queries.entries()) {
    // One run of it would take what the others need; no choice waits for it then.
    if (Date.now() + slowest(query) > halfway) continue;
    tried.push(query);
    // Each statement gets its share of half the time; what one leaves, the next ones have.
    const share = (halfway - Date.now()) / (queries.length - at);
    const { best, runnersUp } = await bestFor(selection, query, Date.now() + share);
    if (best.length > 1) bundles.push(best);
    for (const candidate of [...best, ...runnersUp]) useful.add(candidate);
  }
  await builder.discard(
    builder.built.filter((candidate) => !useful.has(candidate)),
    "no statement gets faster with it by itself",
  );
  await builder.build(mergers([...useful]), budgetBytes);
  const set = await greedy({
    candidates: [...builder.built],
    bundles,
    budgetBytes,
    m: builder.built.length <= PER_WORKLOAD.few ? 3 : 2,
    k: PER_WORKLOAD.k,
    cost: (indexes) => prices.workload(tried, indexes),
    until,
  });
  return paying({ ...selection, queries: tried }, set);
}

/** In milliseconds, without any of the candidates. */
function slowest({ baseline }: Query): number {
  return Math.max(0, ...baseline.map(({ ms }) => ms));
}

async function bestFor(
  { builder, prices, budgetBytes }: Selection,
  query: Query,
  until: number,
): Promise<Record<"best" | "runnersUp", readonly Candidate[]>> {
  const wanted = new Set(query.candidates.map(bodyOf));
  const candidates = builder.built.filter(({ definition }) => wanted.has(bodyOf(definition)));
  if (candidates.length === 0) return { best: [], runnersUp: [] };
  const cost = (set: readonly Candidate[]) => prices.perCall(query, set);
  const best = await greedy({ candidates, budgetBytes, ...PER_QUERY, cost, until });
  const bare = await cost([]);
  const singles: { candidate: Candidate; blocks: number }[] = [];
  for (const candidate of candidates) singles.push({ candidate, blocks: await cost([candidate]) });
  const runnersUp = singles
    .filter(({ blocks }) => blocks < bare * (1 - WORTHWHILE))
    .sort((a, b) => a.blocks - b.blocks || a.candidate.sizeBytes - b.candidate.sizeBytes)
    .slice(0, RUNNERS_UP)
    .map(({ candidate }) => candidate);
  return { best, runnersUp };
}

function mergers(candidates: readonly Candidate[]): Definition[] {
  const made: Definition[] = [];
  for (const first of candidates) {
    for (const second of candidates) {
      const definition = first === second ? undefined : merged(first.definition, second.definition);
      if (definition !== undefined) made.push(definition);
    }
  }
  return made.slice(0, MOST_MERGED);
}

/** Leaves out, one after the other, what the rest does without; the least useful first. */
async function paying(
  selection: Selection,
  set: readonly Candidate[],
): Promise<readonly Candidate[]> {
  const { queries, builder, prices } = selection;
  const cost = await prices.workload(queries, set);
  const inVain: { candidate: Candidate; gain: number; helps: boolean }[] = [];
  for (const candidate of set) {
    const rest = set.filter((other) => other !== candidate);
    const gain = (await prices.workload(queries, rest)) - cost;
    const helps = await helpsAny(selection, rest, set);
    if (gain <= 0 || !helps) inVain.push({ candidate, gain, helps });
  }
  const [least] = inVain.sort((a, b) => a.gain - b.gain);
  if (least === undefined) return set;
  const why = least.helps
    ? "it costs those who write more than it saves"
    : "with the others there, nothing gets faster";
  builder.reject(least.candidate.definition, why);
  return paying(
    selection,
    set.filter((other) => other !== least.candidate),
  );
}

/** Whether a statement is faster with all of the set than with the rest of it. */
async function helpsAny(
  { queries, prices }: Selection,
  rest: readonly Candidate[],
  set: readonly Candidate[],
): Promise<boolean> {
  for (const query of queries) {
    const without = await prices.perCall(query, rest);
    if ((await prices.perCall(query, set)) < without * (1 - WORTHWHILE)) return true;
  }
  return false;
}
