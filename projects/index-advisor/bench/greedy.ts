/**
 * What one would write first: of all candidates the one that saves most, again and again, until nothing
 * does or fits, by the planner's word alone.
 */
import { candidatesFor } from "../src/candidates/index.ts";
import { readCatalog } from "../src/catalog.ts";
import { connect, Deadline } from "../src/database.ts";
import { createIndexSql, indexName } from "../src/ddl.ts";
import type { Candidate, Query, WhatIf } from "../src/model.ts";
import { parametersOf } from "../src/parameters.ts";
import { understand } from "../src/sql/index.ts";
import { Builds } from "../src/whatif/builds.ts";
import { openWhatIf } from "../src/whatif/index.ts";
import { relevantTo } from "../src/whatif/relevance.ts";
import type { Contender } from "./contender.ts";

/** Only indexes of one column, without anything carried along: what most people begin with. */
export const singleColumn: Contender = contender("single columns", (queries) => {
  const columns = queries.flatMap(({ accesses }) =>
    accesses.flatMap(({ schema, table, predicates, sort, group }) =>
      [...predicates.map(({ column }) => column), ...sort.map(({ column }) => column), ...group]
        .filter((column) => column !== undefined)
        .map((column) => ({ schema, table, column })),
    ),
  );
  const distinct = new Map(columns.map((each) => [JSON.stringify(each), each]));
  return [...distinct.values()].map(({ schema, table, column }) => ({
    index: { schema, table, method: "btree", keys: [{ column }], include: [] },
    statements: queries
      .filter(({ accesses }) => accesses.some((access) => access.table === table))
      .map(({ statement }) => statement),
    hypothetical: true,
  }));
});

/**
 * Our own candidates, chosen as S. Chaudhuri and V. Narasayya's Greedy(m, k) does with m = 1 ("An
 * Efficient, Cost-Driven Index Selection Tool for Microsoft SQL Server", VLDB 1997), which DTA grew from.
 * Counted as if nothing was remembered: each set is asked about with every statement.
 */
export const naiveDta: Contender = contender("naive DTA", candidatesFor);

type Find = (
  queries: readonly Query[],
  catalog: Awaited<ReturnType<typeof readCatalog>>,
) => readonly Candidate[];

function contender(name: string, find: Find): Contender {
  return {
    name,
    async choose({ scratch, statements, budgetBytes, budgetMs }) {
      const deadline = new Deadline(budgetMs);
      const begun = performance.now();
      await using session = await connect("scratch", scratch, { deadline });
      const catalog = await readCatalog(session.client);
      const parameters = parametersOf(session.client, catalog);
      const { queries } = await understand(statements, catalog, parameters);
      const candidates = find(queries, catalog).filter(({ hypothetical }) => hypothetical);
      await using whatIf = await openWhatIf(session, new Builds(session), "hypopg");
      const { set, asked } = await chosen(queries, candidates, { whatIf, budgetBytes, deadline });
      return {
        indexes: set.map(({ index }) => createIndexSql(index, indexName(index))),
        whatIfCalls: asked,
        seconds: (performance.now() - begun) / 1_000,
      };
    },
  };
}

interface Limits {
  readonly whatIf: WhatIf;
  readonly budgetBytes: number;
  readonly deadline: Deadline;
}

async function chosen(
  queries: readonly Query[],
  candidates: readonly Candidate[],
  { whatIf, budgetBytes, deadline }: Limits,
): Promise<{ set: readonly Candidate[]; asked: number }> {
  const questions = queries.reduce((sum, { instances }) => sum + instances.length, 0);
  let set: readonly Candidate[] = [];
  let bytes = 0;
  let costs = await whatIf.costs(queries, set);
  let asked = questions;
  for (;;) {
    let best: { candidate: Candidate; costs: readonly number[]; saved: number } | undefined;
    for (const candidate of candidates) {
      const fits = bytes + (await whatIf.size(candidate)) <= budgetBytes;
      if (set.includes(candidate) || !fits) continue;
      if (deadline.over) return { set, asked };
      const next = await changed(queries, costs, [...set, candidate], candidate, whatIf);
      asked += questions;
      const saved = queries.reduce(
        (sum, { calls }, q) => sum + calls * ((costs[q] ?? 0) - (next[q] ?? 0)),
        0,
      );
      if (saved > (best?.saved ?? 0)) best = { candidate, costs: next, saved };
    }
    // A ten-thousandth: planners' costs differ by as much for no reason.
    const total = queries.reduce((sum, { calls }, q) => sum + calls * (costs[q] ?? 0), 0);
    if (!best || best.saved < total * 1e-4) return { set, asked };
    set = [...set, best.candidate];
    bytes += await whatIf.size(best.candidate);
    costs = best.costs;
  }
}

async function changed(
  queries: readonly Query[],
  costs: readonly number[],
  set: readonly Candidate[],
  added: Candidate,
  whatIf: WhatIf,
): Promise<readonly number[]> {
  const touched = queries.filter((query) => relevantTo(query, [added]).length > 0);
  const answers = await whatIf.costs(touched, set);
  const found = new Map(touched.map((query, i) => [query, answers[i] ?? 0]));
  return queries.map((query, q) => found.get(query) ?? costs[q] ?? 0);
}
