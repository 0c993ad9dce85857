/** What a statement takes if it may have everything. */
import type { Candidate, Query, SelectionRequest } from "../model.ts";

export interface Wish {
  /** Indexes that it wants together; nothing, where none is of use. */
  readonly candidates: readonly Candidate[];
  /** Calls × the planner's cost with them: no set makes it less. */
  readonly cost: number;
}

/** By query, in the request's order. When time is up, the rest has no wish, and costs nothing. */
export async function wishesOf(request: SelectionRequest): Promise<readonly Wish[]> {
  const wishes: Wish[] = [];
  for (const query of request.queries) {
    if (request.signal.aborted) wishes.push({ candidates: [], cost: 0 });
    else wishes.push(await wishOf(request, query));
  }
  return wishes;
}

async function wishOf({ whatIf, candidates }: SelectionRequest, query: Query): Promise<Wish> {
  const best = await whatIf.plan(query, candidates);
  const nothing = await whatIf.plan(query, []);
  const cost = query.calls * Math.min(best.cost, nothing.cost);
  if (best.cost >= nothing.cost) return { candidates: [], cost };
  let set = best.used;
  for (const candidate of best.used) {
    const without = set.filter((other) => other !== candidate);
    if ((await whatIf.plan(query, without)).cost <= best.cost) set = without;
  }
  return { candidates: set, cost };
}
