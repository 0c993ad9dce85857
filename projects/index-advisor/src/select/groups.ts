/** Indexes that one statement wants together. */
import type { Candidate, Query, SelectionRequest } from "../model.ts";
import { relevantTo } from "../whatif/relevance.ts";

/** For each query, what its plan needs of all candidates; nothing, where none is of use. */
export async function wishesOf(
  request: SelectionRequest,
): Promise<readonly (readonly Candidate[])[]> {
  const wishes: (readonly Candidate[])[] = [];
  for (const query of request.queries) {
    if (request.signal.aborted) break;
    wishes.push(await needed(request, query));
  }
  return wishes;
}

async function needed(
  { whatIf, candidates }: SelectionRequest,
  query: Query,
): Promise<readonly Candidate[]> {
  const cost = async (set: readonly Candidate[]) => (await whatIf.costs([query], set))[0] ?? 0;
  let set = relevantTo(query, candidates);
  if (set.length === 0) return [];
  const best = await cost(set);
  if (best >= (await cost([]))) return [];
  for (const candidate of set) {
    const without = set.filter((other) => other !== candidate);
    if ((await cost(without)) <= best) set = without;
  }
  return set;
}
