/** Candidates in the order in which they are worth the planner's time. */
import type { Catalog } from "../catalog.ts";
import type { Candidate, Query } from "../model.ts";
import { features } from "./features.ts";
import type { PlanSummary } from "./plan.ts";
import { type Model, predict } from "./predict.ts";

export interface Ranked {
  readonly candidate: Candidate;
  /** That it takes a fifth off the time of the statement that it does most for: 0 … 1. */
  readonly probability: number;
  /** Σ calls × cost × probability over the statements that it came from, in the planner's units. */
  readonly expected: number;
}

export interface RankRequest {
  readonly queries: readonly Query[];
  readonly candidates: readonly Candidate[];
  readonly catalog: Catalog;
  /** By query: its plan without any of the candidates. */
  readonly plans: readonly PlanSummary[];
}

/** Asks the planner nothing. Best first; equals stay in the order that they had. */
export function rank(
  model: Model,
  { queries, candidates, catalog, plans }: RankRequest,
): readonly Ranked[] {
  return candidates
    .map((candidate): Ranked => {
      let [probability, expected] = [0, 0];
      for (const [at, query] of queries.entries()) {
        const before = plans[at];
        if (!before || !candidate.statements.includes(query.statement)) continue;
        const named = features({ query, candidate, before }, catalog);
        // A model of older features knows nothing of newer ones, and the other way round.
        const row = model.features.map((name) => named[name] ?? Number.NaN);
        const helps = predict(model, row);
        probability = Math.max(probability, helps);
        expected += query.calls * before.totalCost * helps;
      }
      return { candidate, probability, expected };
    })
    .toSorted((a, b) => b.expected - a.expected);
}
