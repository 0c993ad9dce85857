/**
 * Task 3: Greedy(m, k), as in Chaudhuri & Narasayya, "An Efficient, Cost-Driven Index Selection Tool for
 * Microsoft SQL Server" (VLDB 1997): the best of all sets of at most m indexes, to which one index after the
 * other is added while that helps, up to k. With m = 2 it sees what only two of them together do.
 *
 * Here the few best sets begin, not the best alone, since under a budget the second best may leave room for
 * more. And what helps one statement only together (the two sides of an OR) is added together: the sets that
 * were best for a statement by itself are steps like a single index. Whenever time is up, the best that was
 * found so far is the answer.
 */
import type { Candidate } from "./built.ts";
import { isPrefixOf } from "./definitions.ts";

export interface Search {
  readonly candidates: readonly Candidate[];
  /** What may be added in one step, besides single candidates. */
  readonly bundles?: readonly (readonly Candidate[])[];
  readonly budgetBytes: number;
  /** Sets of up to so many are all tried. */
  readonly m: number;
  /** No set is larger. */
  readonly k: number;
  readonly cost: (set: readonly Candidate[]) => Promise<number>;
  /** By `Date.now()`. */
  readonly until: number;
}

interface Priced {
  readonly set: readonly Candidate[];
  readonly cost: number;
  readonly bytes: number;
}

/** How many of the best sets are added to. */
const SEEDS = 4;
/** Savings that differ by less are the same, and fewer or smaller indexes are better. */
const SAME = 0.002;

export async function greedy(search: Search): Promise<readonly Candidate[]> {
  const empty: Priced = { set: [], cost: await search.cost([]), bytes: 0 };
  // One after the other from nothing: soon there, and often the answer.
  let best = await extended(search, empty);
  let seeds: readonly Priced[] = [];
  for await (const set of subsets(search)) {
    if (Date.now() > search.until) break;
    const priced = await price(search, set);
    seeds = [...seeds, priced].sort((a, b) => compared(a, b, empty)).slice(0, SEEDS);
  }
  for (const seed of seeds) {
    const grown = await extended(search, seed);
    if (compared(grown, best, empty) < 0) best = grown;
  }
  return best.set;
}

async function extended(search: Search, seed: Priced): Promise<Priced> {
  let current = seed;
  while (current.set.length < search.k && Date.now() < search.until) {
    let next = current;
    for (const step of [
      ...search.candidates.map((candidate) => [candidate]),
      ...(search.bundles ?? []),
    ]) {
      const added = step.filter((candidate) => !current.set.includes(candidate));
      const set = [...current.set, ...added];
      if (added.length === 0 || !allowed(search, set)) continue;
      const priced = await price(search, set);
      if (priced.cost < current.cost && (next === current || compared(priced, next, current) < 0)) {
        next = priced;
      }
      if (Date.now() > search.until) break;
    }
    if (next === current) break;
    current = next;
  }
  return current;
}

async function* subsets(
  search: Search,
  begun: readonly Candidate[] = [],
  from = 0,
): AsyncGenerator<Candidate[]> {
  for (let at = from; at < search.candidates.length; at += 1) {
    const candidate = search.candidates[at];
    if (candidate === undefined) continue;
    const set = [...begun, candidate];
    if (!allowed(search, set)) continue;
    yield set;
    if (set.length < search.m) yield* subsets(search, set, at + 1);
  }
}

async function price(search: Search, set: readonly Candidate[]): Promise<Priced> {
  return { set, cost: await search.cost(set), bytes: bytesOf(set) };
}

/** Fits into the budget, and has none that is the beginning of another one. */
function allowed(search: Search, set: readonly Candidate[]): boolean {
  if (bytesOf(set) > search.budgetBytes) return false;
  return set.every((one) => !set.some((other) => isPrefixOf(one.definition, other.definition)));
}

/** By what they save of another one's cost: of the whole, the least saving would look like nothing. */
function compared(a: Priced, b: Priced, { cost }: Priced): number {
  const [first, second] = [cost - a.cost, cost - b.cost];
  const alike = Math.abs(first - second) <= SAME * Math.max(first, second, 0);
  if (!alike) return second - first;
  return a.set.length - b.set.length || a.bytes - b.bytes || widthOf(a.set) - widthOf(b.set);
}

function widthOf(set: readonly Candidate[]): number {
  return set.reduce((sum, { definition }) => sum + definition.parts.length, 0);
}

function bytesOf(set: readonly Candidate[]): number {
  return set.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
