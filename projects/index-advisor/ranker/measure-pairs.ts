/** Statements without and with one index each, planned, pretended and measured. */
import { median } from "d3-array";
import pg from "pg";
import { createIndexSql } from "../src/ddl.ts";
import type { Candidate, Query } from "../src/model.ts";
import { summarize } from "../src/ranker/plan.ts";
import type { Pair } from "./pair.ts";

export interface Wanted {
  readonly template: string;
  readonly sql: string;
  readonly query: Query;
  readonly candidates: readonly { readonly candidate: Candidate; readonly proposed: boolean }[];
}

/** Of what isn't warm yet; then those that count. */
const WARM_UPS = 1;
const RUNS = 5;
const NAME = "tried_idx";

/** One index at a time, built once for all statements that it is tried on. @param catalog goes into each pair */
export async function measurePairs(
  client: pg.Client,
  wanted: readonly Wanted[],
  catalog: number,
): Promise<readonly Pair[]> {
  // A statement that takes this long without an index is one that templates shouldn't have.
  await client.query("SET statement_timeout = '20s'");
  const byIndex = Map.groupBy(
    wanted.flatMap(({ candidates, ...statement }) =>
      candidates.map((each) => ({ ...statement, ...each })),
    ),
    ({ candidate }) => createIndexSql(candidate.index, NAME),
  );
  const pairs: Pair[] = [];
  for (const [sql, tried] of byIndex) {
    const before = [];
    for (const statement of tried) {
      before.push({
        ...statement,
        catalog,
        planBefore: await explain(client, statement.sql),
        beforeMs: await medianMs(client, statement.sql),
        ...(statement.candidate.hypothetical
          ? { planPretended: await pretend(client, sql, statement.sql) }
          : {}),
      });
    }
    const why = await refusal(client, sql);
    if (why !== undefined) {
      console.error(`${sql}: ${why}`);
      continue;
    }
    const { schema, table, keys } = tried[0]?.candidate.index ?? {};
    // An expression has statistics of its own from the first ANALYZE on.
    if (keys?.some(({ expression }) => expression !== undefined)) {
      await client.query(`ANALYZE "${schema}"."${table}"`);
    }
    for (const each of before) {
      const planAfter = await explain(client, each.sql);
      const used = summarize(planAfter).scans.some(({ indexes }) => indexes.includes(NAME));
      const afterMs = used ? await medianMs(client, each.sql) : each.beforeMs;
      pairs.push({ ...each, planAfter, used, afterMs });
    }
    await client.query(`DROP INDEX "${schema}"."${NAME}"`);
  }
  return pairs;
}

/** Why it can't be built, in the server's words; `undefined` where it now is. */
async function refusal(client: pg.Client, index: string): Promise<string | undefined> {
  try {
    await client.query(index);
    return undefined;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.message;
  }
}

async function explain(client: pg.Client, sql: string): Promise<unknown> {
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
  return rows[0]["QUERY PLAN"];
}

/** @returns `undefined` where HypoPG refuses what can't be built either */
async function pretend(client: pg.Client, index: string, sql: string): Promise<unknown> {
  try {
    await client.query("SELECT hypopg_create_index($1)", [index]);
    return await explain(client, sql);
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return undefined;
  } finally {
    await client.query("SELECT hypopg_reset()");
  }
}

async function medianMs(client: pg.Client, sql: string): Promise<number> {
  const runs: number[] = [];
  for (let run = -WARM_UPS; run < RUNS; run++) {
    const { rows } = await client.query(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`);
    if (run >= 0) runs.push(rows[0]["QUERY PLAN"][0]["Execution Time"]);
  }
  return median(runs) ?? Number.NaN;
}
