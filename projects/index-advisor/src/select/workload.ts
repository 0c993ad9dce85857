/** What a workload costs with a set of indexes, moved from one set to the next. */
import type { Candidate, Query, SelectionRequest } from "../model.ts";
import { isRelevant } from "../whatif/relevance.ts";

/** A set, with what each query costs in it: calls × (planner's cost + upkeep). */
export interface Priced {
  readonly set: readonly Candidate[];
  readonly costs: readonly number[];
  readonly total: number;
  /** Estimated, in bytes. */
  readonly bytes: number;
}

export async function price(request: SelectionRequest, set: readonly Candidate[]): Promise<Priced> {
  return priced(request, set, await costsOf(request, request.queries, set));
}

/** Only queries to which the difference between the sets is relevant are asked about again. */
export async function reprice(
  request: SelectionRequest,
  from: Priced,
  set: readonly Candidate[],
): Promise<Priced> {
  const changed = [
    ...set.filter((candidate) => !from.set.includes(candidate)),
    ...from.set.filter((candidate) => !set.includes(candidate)),
  ];
  const isAffected = (query: Query) =>
    changed.some((c) => isRelevant(query, c) || request.writeCost(query, c) !== 0);
  const affected = request.queries.filter(isAffected);
  const costs = await costsOf(request, affected, set);
  let next = 0;
  const all = request.queries.map((query, i) =>
    affected[next] === query ? (costs[next++] ?? 0) : (from.costs[i] ?? 0),
  );
  return priced(request, set, all);
}

async function costsOf(
  { whatIf, writeCost }: SelectionRequest,
  queries: readonly Query[],
  set: readonly Candidate[],
): Promise<number[]> {
  const costs = await whatIf.costs(queries, set);
  return queries.map((query, i) => {
    const upkeep = set.reduce((sum, candidate) => sum + writeCost(query, candidate), 0);
    return query.calls * ((costs[i] ?? 0) + upkeep);
  });
}

async function priced(
  request: SelectionRequest,
  set: readonly Candidate[],
  costs: readonly number[],
): Promise<Priced> {
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  return { set, costs, total, bytes: await bytesOf(request, set) };
}

export async function bytesOf(
  { whatIf }: SelectionRequest,
  set: readonly Candidate[],
): Promise<number> {
  let bytes = 0;
  for (const candidate of set) bytes += await whatIf.size(candidate);
  return bytes;
}
