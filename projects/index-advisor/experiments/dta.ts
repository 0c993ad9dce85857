/**
 * The plan of Microsoft's Database Tuning Advisor as Chaudhuri and Narasayya describe it ("An Efficient,
 * Cost-Driven Index Selection Tool for Microsoft SQL Server", VLDB 1997), without its refinements: the best of
 * each statement by itself, then greedily from the best pair of those on, everything asked anew in each step.
 */
import type { Candidate, Select, SelectionRequest } from "../src/model.ts";
import { isPrefix } from "../src/select/redundancy.ts";
import { type Priced, price } from "../src/select/workload.ts";
import { isRelevant } from "../src/whatif/relevance.ts";

export const dta: Select = async (request) => {
  const useful = await bestOfEach(request);
  const nothing = await price(request, []);
  let now = await seed({ ...request, candidates: useful }, nothing);
  for (;;) {
    let best = now;
    for (const candidate of useful) {
      if (now.set.includes(candidate)) continue;
      best = better(request, best, await price(request, [...now.set, candidate]));
    }
    if (best === now) return withoutPrefixes(now.set);
    now = best;
  }
};

/** What the best set of one or two does for a statement alone goes on. */
async function bestOfEach(request: SelectionRequest): Promise<readonly Candidate[]> {
  const useful = new Set<Candidate>();
  for (const query of request.queries) {
    const alone = { ...request, queries: [query] };
    const relevant = request.candidates.filter((candidate) => isRelevant(query, candidate));
    let best = await price(alone, []);
    for (const set of [...relevant.map((one) => [one]), ...pairsOf(relevant)]) {
      best = better(alone, best, await price(alone, set));
    }
    for (const candidate of best.set) useful.add(candidate);
  }
  return request.candidates.filter((candidate) => useful.has(candidate));
}

async function seed(request: SelectionRequest, nothing: Priced): Promise<Priced> {
  let best = nothing;
  for (const set of pairsOf(request.candidates)) {
    best = better(request, best, await price(request, set));
  }
  return best;
}

function better({ budgetBytes }: SelectionRequest, now: Priced, other: Priced): Priced {
  return other.bytes <= budgetBytes && other.total < now.total ? other : now;
}

function pairsOf(candidates: readonly Candidate[]): readonly (readonly Candidate[])[] {
  return candidates.flatMap((a, at) => candidates.slice(at + 1).map((b) => [a, b]));
}

function withoutPrefixes(set: readonly Candidate[]): readonly Candidate[] {
  return set.filter(({ index }) => !set.some((o) => o.index !== index && isPrefix(index, o.index)));
}
