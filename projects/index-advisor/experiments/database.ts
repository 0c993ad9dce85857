/** A database with rows, for the experiments. */
import type { Stage } from "@db-katas/measure";
import pg from "pg";
import { summarize } from "../src/ranker/plan.ts";

export const oneDatabase = { database: { engine: "pgextended", needs: ["hypopg"] } } as const;

/** The role that an advisor has. */
export async function connectTo(leases: Stage["leases"], role = "database"): Promise<pg.Client> {
  const lease = leases[role];
  if (!lease) throw new Error(`The experiment names no ${role}.`);
  const client = new pg.Client({ connectionString: await lease.urlFor("a") });
  await client.connect();
  return client;
}

export interface Explained {
  /** The planner's, in its units. */
  readonly cost: number;
  /** Pages of tables and indexes that it touched, wherever they were found. */
  readonly blocks: number;
  /** Names of the indexes that were read. */
  readonly indexes: readonly string[];
}

/** What `EXPLAIN (ANALYZE, BUFFERS)` says. */
export async function analyze(client: pg.Client, sql: string): Promise<Explained> {
  const { rows } = await client.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`);
  const plan = rows[0]["QUERY PLAN"];
  const { "Shared Hit Blocks": hit, "Shared Read Blocks": read } = plan[0].Plan;
  const { totalCost, scans } = summarize(plan);
  return { cost: totalCost, blocks: hit + read, indexes: scans.flatMap(({ indexes }) => indexes) };
}
