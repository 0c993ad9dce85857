/** The one that gains most for its bytes, again and again, each time measured with those that are chosen. */
import { isPrefix } from "./candidates.ts";
import type { Built, Laboratory, Outcome, Query } from "./laboratory.ts";

/** By how much a statement must get faster, at least; what is less may be noise. */
const FASTER = 1.3;
const LEAST_MS = 0.02;
/** Of a statement's time without any index: the last percent may be left where it is. */
const TELLING = 0.01;
/** Of the whole: an index without which it takes no longer than this isn't worth having. */
const WORTH = 1.02;

export interface Choice {
  readonly set: readonly Built[];
  readonly before: ReadonlyMap<Query, Outcome>;
  readonly after: ReadonlyMap<Query, Outcome>;
  /** By index: the statements that it makes faster. */
  readonly helps: ReadonlyMap<Built, readonly Query[]>;
}

export async function choose(
  laboratory: Laboratory,
  queries: readonly Query[],
  budgetBytes: number,
  until: number,
): Promise<Choice> {
  const before = await laboratory.tried(queries, []);
  const moves = await movesOf(laboratory, queries);
  const chosen = await grown(laboratory, queries, moves, budgetBytes, until);
  const set = await pruned(laboratory, queries, chosen, before);
  const after = await laboratory.tried(queries, set);
  const helps = new Map<Built, readonly Query[]>();
  for (const built of set) helps.set(built, await helped(laboratory, queries, set, built, before));
  const kept = set.filter((built) => (helps.get(built)?.length ?? 0) > 0);
  if (kept.length === set.length) return { set, before, after, helps };
  return { set: kept, before, after: await laboratory.tried(queries, kept), helps };
}

const total = (outcomes: ReadonlyMap<Query, Outcome>) =>
  [...outcomes].reduce((sum, [query, { decisiveMs }]) => sum + query.calls * decisiveMs, 0);

const faster = (before: Outcome | undefined, after: Outcome | undefined) =>
  before !== undefined &&
  after !== undefined &&
  before.ms > after.ms * FASTER &&
  before.ms - after.ms > LEAST_MS;

/**
 * Each index; all that one statement would take if it had every one, as arms of an OR help together only; and all
 * that its triggers could take, which no plan tells.
 */
async function movesOf(laboratory: Laboratory, queries: readonly Query[]): Promise<Built[][]> {
  const all = await laboratory.tried(queries, laboratory.built);
  const behind = ({ touches, written }: Query) =>
    laboratory.built.filter(
      ({ candidate: { table } }) => touches.has(table.oid) && table.oid !== written?.oid,
    );
  const bundles = [...all.values()]
    .map(({ uses }) => laboratory.built.filter(({ candidate }) => uses.has(candidate.name)))
    .concat(queries.filter(({ kind }) => kind !== "select").map(behind))
    .filter((bundle) => bundle.length > 1);
  return [...laboratory.built.map((each) => [each]), ...bundles];
}

async function grown(
  laboratory: Laboratory,
  queries: readonly Query[],
  moves: readonly Built[][],
  budgetBytes: number,
  until: number,
): Promise<Built[]> {
  let chosen: Built[] = [];
  let now = await laboratory.tried(queries, chosen);
  const tried = new Map<readonly Built[], Tried>();
  for (;;) {
    let best: { set: Built[]; outcomes: Map<Query, Outcome>; score: number } | undefined;
    for (const move of moves) {
      const added = move.filter((each) => !chosen.includes(each));
      const set = [...chosen, ...added];
      const bytes = bytesOf(added);
      if (added.length === 0 || bytesOf(set) > budgetBytes || Date.now() > until) continue;
      const concerned = queries.filter(({ touches }) =>
        added.some(({ candidate }) => touches.has(candidate.table.oid)),
      );
      const outcomes = new Map([
        ...now,
        ...(await once(tried, move, concerned, set, () => laboratory.tried(concerned, set))),
      ]);
      const gain = total(now) - total(outcomes);
      if (gain <= 0 || !queries.some((q) => faster(now.get(q), outcomes.get(q)))) continue;
      const score = budgetBytes === Number.POSITIVE_INFINITY ? gain : gain / bytes;
      if (!best || score > best.score) best = { set, outcomes, score };
    }
    if (!best) return chosen;
    chosen = best.set;
    now = best.outcomes;
  }
}

interface Tried {
  readonly key: string;
  readonly outcomes: ReadonlyMap<Query, Outcome>;
}

/** What was chosen for tables that its statements don't touch is no reason to try a move again. */
async function once(
  tried: Map<readonly Built[], Tried>,
  move: readonly Built[],
  concerned: readonly Query[],
  set: readonly Built[],
  run: () => Promise<ReadonlyMap<Query, Outcome>>,
): Promise<ReadonlyMap<Query, Outcome>> {
  const near = set.filter(({ candidate }) =>
    concerned.some(({ touches }) => touches.has(candidate.table.oid)),
  );
  const key = near.map(({ candidate }) => candidate.name).join();
  const known = tried.get(move);
  if (known?.key === key) return known.outcomes;
  const outcomes = await run();
  tried.set(move, { key, outcomes });
  return outcomes;
}

/** Without those that the later ones have made superfluous. */
async function pruned(
  laboratory: Laboratory,
  queries: readonly Query[],
  chosen: readonly Built[],
  before: ReadonlyMap<Query, Outcome>,
): Promise<readonly Built[]> {
  let set = chosen.filter(
    (each) => !chosen.some((other) => isPrefix(each.candidate, other.candidate)),
  );
  for (const each of set.toSorted((a, b) => b.sizeBytes - a.sizeBytes)) {
    const without = set.filter((other) => other !== each);
    const [less, all] = [
      await laboratory.tried(queries, without),
      await laboratory.tried(queries, set),
    ];
    const needed = queries.some((query) => {
      const [first, without, with_] = [before, less, all].map((each) => each.get(query)?.ms ?? 0);
      const gained = (without ?? 0) - (with_ ?? 0);
      return faster(less.get(query), all.get(query)) && gained > (first ?? 0) * TELLING;
    });
    if (!needed || total(less) <= total(all) || total(less) * WORTH < total(all)) set = without;
  }
  // All of it together must be better than nothing.
  return total(await laboratory.tried(queries, set)) < total(before) ? set : [];
}

async function helped(
  laboratory: Laboratory,
  queries: readonly Query[],
  set: readonly Built[],
  built: Built,
  before: ReadonlyMap<Query, Outcome>,
): Promise<readonly Query[]> {
  const after = await laboratory.tried(queries, set);
  const without = await laboratory.tried(
    queries,
    set.filter((other) => other !== built),
  );
  return queries.filter(
    (query) =>
      faster(before.get(query), after.get(query)) &&
      (after.get(query)?.uses.has(built.candidate.name) ||
        faster(without.get(query), after.get(query))),
  );
}

const bytesOf = (set: readonly Built[]) => set.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
