/**
 * Extend: Schlosser, Kossmann, Boissier, "Efficient Scalable Multi-attribute Index Selection Using Recursive
 * Strategies", ICDE 2019. It begins with nothing. In each step it adds an index or makes one that it has longer:
 * whatever saves most per byte, with all that it has already in place. It ends when nothing saves anything
 * any more, or nothing fits.
 *
 * Four things are not in the paper. Columns that help only together may come at once, because the candidates
 * have them so; indexes, too (the arms of an OR want one each, or none is of use): a group is what the planner
 * takes for one statement when it may have all. What was not the best of one step is not asked about again before it could be the best of a
 * later one: savings seldom grow while the set does. And within a budget, the order
 * by what is saved as such is tried too, then exchanges of one for another: what saves most per byte may fill
 * the budget with crumbs. When time is up (`signal`), what was found until then is the answer, with what the other
 * statements would like best.
 */
import type { Candidate, Select, SelectionRequest } from "../model.ts";
import { BuildFailed, keyOf } from "../whatif/builds.ts";
import { isRelevant } from "../whatif/relevance.ts";
import { wishesOf } from "./groups.ts";
import { isPrefix } from "./redundancy.ts";
import { bytesOf, type Priced, price, reprice } from "./workload.ts";

/** Of what the workload costs at that moment: what saves less isn't worth a step. */
const LEAST_SAVING = 1e-4;
/** One page: no index is smaller, and a longer one may take no more than the shorter. */
const LEAST_BYTES = 8_192;
/** How many rounds of exchanges there are at most, and of how many pairs: each is another question. */
const EXCHANGES = 3;
const PAIRS = 300;

/** So many indexes in one plan are the planner's business, not one decision. */
const MOST_TOGETHER = 4;
/** So many candidates can all be asked about. */
const MANY = 60;

interface Possible extends SelectionRequest {
  /** By query: what it would have if it might have all. */
  readonly wanted: readonly (readonly Candidate[])[];
  readonly groups: readonly (readonly Candidate[])[];
  /** By query: it never costs less than this. */
  readonly floors: readonly number[];
}

type Order = (savedCost: number, bytes: number) => number;

const perByte: Order = (saved, bytes) => saved / Math.max(bytes, LEAST_BYTES);
const asSuch: Order = (saved) => saved;

export const extend: Select = async (request) => {
  const { kept = [] } = request;
  const candidates = await possible(request);
  const wishes = await wishesOf({ ...request, candidates: [...candidates, ...kept] });
  const wanted = wishes.map((wish) => wish.candidates);
  const all: Possible = {
    ...request,
    candidates: pool(candidates, wanted.flat()),
    wanted,
    groups: wanted.filter(({ length }) => length > 1 && length <= MOST_TOGETHER),
    floors: wishes.map(({ cost }) => cost),
  };
  const start = await price(request, kept);
  let best = await grow(all, start, perByte);
  if (Number.isFinite(request.budgetBytes)) {
    const other = await grow(all, start, asSuch);
    if (other.total < best.total) best = other;
    best = await exchange(all, best);
  }
  return (await shrink(request, best)).set;
};

/** Of many, only what some statement would take if it might have all, and what that begins with. */
function pool(
  candidates: readonly Candidate[],
  wished: readonly Candidate[],
): readonly Candidate[] {
  if (candidates.length <= MANY) return candidates;
  return candidates.filter(
    (one) => wished.includes(one) || wished.some(({ index }) => isPrefix(one.index, index)),
  );
}

/**
 * Without those that can't be built, where they must be to be asked about. Builds take time: those for what the workload
 * takes longest for come first.
 */
async function possible({
  queries,
  candidates,
  whatIf,
  signal,
}: SelectionRequest): Promise<readonly Candidate[]> {
  const costs = await whatIf.costs(queries, []);
  const weights = new Map(
    queries.map(({ statement, calls }, q) => [statement, calls * (costs[q] ?? 0)]),
  );
  const weight = ({ statements }: Candidate) =>
    statements.reduce((sum, statement) => sum + (weights.get(statement) ?? 0), 0);
  const sorted = candidates.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  const kept = new Set<Candidate>();
  for (const candidate of sorted.toSorted((a, b) => weight(b) - weight(a))) {
    if (signal.aborted) break;
    try {
      await whatIf.size(candidate);
      kept.add(candidate);
    } catch (error) {
      if (!(error instanceof BuildFailed)) throw error;
    }
  }
  return sorted.filter((candidate) => kept.has(candidate));
}

interface Move {
  /** One, or several that help only together. */
  readonly candidates: readonly Candidate[];
  /** What it is worth; of one that wasn't looked at with the present set, no less than that. */
  readonly score: number;
  /** What it leads to, where it was looked at with the present set. */
  readonly result?: Priced;
}

async function grow(request: Possible, start: Priced, order: Order): Promise<Priced> {
  let now = start;
  /** Without a question: no statement gets cheaper than with everything. */
  const guess = async (candidates: readonly Candidate[]): Promise<Move | undefined> => {
    const set = candidates.reduce((all, one) => withIt(all, one) ?? all, now.set);
    if (set === now.set) return undefined;
    const bytes = await bytesOf(request, set);
    const most = request.queries.reduce((sum, query, q) => {
      const isAffected = candidates.some((candidate) => isRelevant(query, candidate));
      return isAffected ? sum + (now.costs[q] ?? 0) - (request.floors[q] ?? 0) : sum;
    }, 0);
    const useful = most > now.total * LEAST_SAVING && bytes <= request.budgetBytes;
    return { candidates, score: useful ? order(most, bytes - now.bytes) : 0 };
  };
  const look = async ({ candidates }: Move): Promise<Move> => {
    const set = candidates.reduce((all, one) => withIt(all, one) ?? all, now.set);
    const result = await reprice(request, now, set);
    const saved = now.total - result.total;
    const useful = saved > now.total * LEAST_SAVING;
    return { candidates, result, score: useful ? order(saved, result.bytes - now.bytes) : 0 };
  };
  const guesses = async (all: readonly (readonly Candidate[])[]) =>
    (await Promise.all(all.map(guess))).filter((move) => move !== undefined);
  let moves = await guesses([...request.candidates.map((one) => [one]), ...request.groups]);
  for (;;) {
    moves.sort((a, b) => b.score - a.score);
    const [best] = moves;
    if (request.signal.aborted) return hurried(request, now);
    if (best === undefined || best.score === 0) return now;
    if (best.result === undefined) {
      moves[0] = await look(best);
      continue;
    }
    now = best.result;
    const stale: Move[] = [];
    for (const move of moves.slice(1)) {
      const [next] = await guesses([move.candidates]);
      // Savings seldom grow while the set does. But a longer one of what is now there costs less space than before.
      const longer = best.candidates.some((there) =>
        move.candidates.some(({ index }) => isPrefix(there.index, index)),
      );
      if (next) stale.push(longer ? next : { ...next, score: Math.min(next.score, move.score) });
    }
    moves = stale;
  }
}

/**
 * When time is up, without another question: what each statement would have if it might have all, as far as there is
 * room. What of it is one too many, measuring shows.
 */
async function hurried(request: Possible, now: Priced): Promise<Priced> {
  const saving = (q: number) => (now.costs[q] ?? 0) - (request.floors[q] ?? 0);
  const first = [...request.wanted.keys()].toSorted((a, b) => saving(b) - saving(a));
  let { set, bytes } = now;
  for (const q of first) {
    if (saving(q) <= now.total * LEAST_SAVING) break;
    const more = (request.wanted[q] ?? []).reduce((all, one) => withIt(all, one) ?? all, set);
    const needed = await bytesOf(request, more);
    if (needed <= request.budgetBytes) [set, bytes] = [more, needed];
  }
  return { ...now, set, bytes };
}

/** @returns `undefined` where it would be superfluous */
function withIt(set: readonly Candidate[], candidate: Candidate): readonly Candidate[] | undefined {
  if (set.some((there) => isPrefix(candidate.index, there.index))) return undefined;
  return [...set.filter((there) => !isPrefix(there.index, candidate.index)), candidate];
}

async function exchange(request: Possible, from: Priced): Promise<Priced> {
  let now = from;
  for (let round = 0; round < EXCHANGES; round++) {
    let best = now;
    if (now.set.length * request.candidates.length > PAIRS) return now;
    for (const out of now.set.filter((there) => !request.kept?.includes(there))) {
      const rest = now.set.filter((there) => there !== out);
      for (const candidate of request.candidates) {
        if (request.signal.aborted) return best;
        const set = candidate === out ? undefined : withIt(rest, candidate);
        if (set === undefined || now.set.includes(candidate)) continue;
        const result = await reprice(request, now, set);
        const fits = result.bytes <= request.budgetBytes;
        if (fits && result.total < best.total * (1 - LEAST_SAVING)) best = result;
      }
    }
    if (best === now) return now;
    // What is left of the budget may now hold one more.
    now = await grow(request, best, asSuch);
  }
  return now;
}

/** Leaves out what others have made superfluous. */
async function shrink(request: SelectionRequest, from: Priced): Promise<Priced> {
  let now = from;
  for (const candidate of from.set) {
    if (request.signal.aborted) return now;
    if (request.kept?.includes(candidate)) continue;
    const without = await reprice(
      request,
      now,
      now.set.filter((there) => there !== candidate),
    );
    if (without.total <= now.total) now = without;
  }
  return now;
}
