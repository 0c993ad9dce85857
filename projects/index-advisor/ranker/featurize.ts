/** From what was collected to rows of numbers. */
import { type Example, features, pretendedFeatures } from "../src/ranker/features.ts";
import { summarize } from "../src/ranker/plan.ts";
import type { Data, DataRow } from "./data.ts";
import type { Collected, Pair } from "./pair.ts";

/** Digits that a feature keeps: what is beyond them is noise, and only makes files big. */
const DIGITS = 5;

export function featurize({ catalogs, pairs }: Collected): Data {
  const statements = new Map<
    string,
    { template: string; scale: number; sql: string; at: number }
  >();
  let names: readonly string[] = [];
  const rows = pairs.map((pair): DataRow => {
    const { sql, template, catalog } = pair;
    const key = `${catalog}/${sql}`;
    const statement = statements.get(key) ?? { template, scale: catalog, sql, at: statements.size };
    statements.set(key, statement);
    const named = features(exampleOf(pair), catalogOf(catalogs, pair));
    names = Object.keys(named);
    return {
      statement: statement.at,
      proposed: pair.proposed,
      method: pair.candidate.index.method,
      beforeMs: pair.beforeMs,
      afterMs: pair.afterMs,
      costBefore: summarize(pair.planBefore).totalCost,
      costAfter: summarize(pair.planAfter).totalCost,
      values: Object.values(named).map((value) => Number(value.toPrecision(DIGITS))),
    };
  });
  return {
    features: [...names],
    pretended: pretendedFeatures.length,
    statements: [...statements.values()].map(({ at: _, ...statement }) => statement),
    rows,
  };
}

function exampleOf(pair: Pair): Example {
  return {
    query: pair.query,
    candidate: pair.candidate,
    before: summarize(pair.planBefore),
    pretended: pair.planPretended === undefined ? undefined : summarize(pair.planPretended),
  };
}

function catalogOf(catalogs: Collected["catalogs"], { catalog }: Pair) {
  const found = catalogs[catalog];
  if (!found) throw new RangeError(`There is no catalogue ${catalog}.`);
  return found;
}
