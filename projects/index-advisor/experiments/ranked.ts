/** Candidates that the ranker would have the planner asked about. */
import type { Candidate } from "../src/model.ts";
import { summarize } from "../src/ranker/plan.ts";
import { loadModel } from "../src/ranker/predict.ts";
import { rank } from "../src/ranker/rank.ts";
import type { Choice } from "./choosing.ts";

/** A candidate that is less likely than this to help isn't asked about. Not tuned. */
const LEAST = 0.2;

/** One EXPLAIN a statement; they count as calls. */
export async function worthAsking({
  client,
  catalog,
  queries,
  candidates,
}: Choice): Promise<{ readonly candidates: readonly Candidate[]; readonly calls: number }> {
  const plans = [];
  for (const { instances } of queries) {
    const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${instances[0]?.sql}`);
    plans.push(summarize(rows[0]["QUERY PLAN"]));
  }
  const ranked = rank(loadModel(), { queries, candidates, catalog, plans });
  return {
    candidates: ranked
      .filter(({ probability }) => probability >= LEAST)
      .map(({ candidate }) => candidate),
    calls: queries.length,
  };
}
