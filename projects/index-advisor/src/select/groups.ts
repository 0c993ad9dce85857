/** Indexes that one statement wants together. */
import type { Candidate, Query, SelectionRequest } from "../model.ts";
import { relevantTo } from "../whatif/relevance.ts";

/** So many indexes in one plan are the planner's business, not one decision. */
const MOST = 4;

/** For each query, what its plan needs of all candidates, where that is more than one. */
export async function groupsOf(
  request: SelectionRequest,
): Promise<readonly (readonly Candidate[])[]> {
  const groups: (readonly Candidate[])[] = [];
  for (const query of request.queries) {
    request.signal.throwIfAborted();
    const group = await needed(request, query);
    if (group.length > 1 && group.length <= MOST) groups.push(group);
  }
  return groups;
}

async function needed(
  { whatIf, candidates }: SelectionRequest,
  query: Query,
): Promise<readonly Candidate[]> {
  const cost = async (set: readonly Candidate[]) => (await whatIf.costs([query], set))[0] ?? 0;
  let set = relevantTo(query, candidates);
  if (set.length < 2) return [];
  const best = await cost(set);
  if (best >= (await cost([]))) return [];
  for (const candidate of set) {
    const without = set.filter((other) => other !== candidate);
    if ((await cost(without)) <= best) set = without;
  }
  return set;
}
