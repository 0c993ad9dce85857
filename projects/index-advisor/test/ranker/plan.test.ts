import { openEngines } from "@db-katas/engines";
import pg from "pg";
import { test as base, expect } from "vitest";
import { summarize } from "../../src/ranker/plan.ts";

// biome-ignore lint/correctness/noEmptyPattern: vitest reads from it which fixtures this one builds on.
const test = base.extend("client", { scope: "file" }, async ({}, { onCleanup }) => {
  await using opening = new AsyncDisposableStack();
  const engines = opening.use(await openEngines());
  const lease = opening.use(await engines.lease("pgextended", { needs: ["hypopg"] }));
  const client = new pg.Client({ connectionString: await lease.urlFor("a") });
  await client.connect();
  opening.defer(() => client.end());
  await client.query("CREATE TABLE a (id int PRIMARY KEY, x int NOT NULL)");
  await client.query("CREATE TABLE b (a_id int NOT NULL, y int NOT NULL)");
  await client.query("INSERT INTO a SELECT n, n % 100 FROM generate_series(1, 20000) AS n");
  await client.query("INSERT INTO b SELECT n, n % 7 FROM generate_series(1, 20000) AS n");
  await client.query("VACUUM ANALYZE");
  const opened = opening.move();
  onCleanup(() => opened.disposeAsync());
  return client;
});

async function planOf(client: pg.Client, sql: string) {
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
  return rows[0]["QUERY PLAN"];
}

test("the operators' costs add up to the plan's", async ({ client }) => {
  const plan = summarize(
    await planOf(client, "SELECT y, count(*) FROM a JOIN b ON a_id = id GROUP BY y ORDER BY 2"),
  );
  const sum = Object.values(plan.costs).reduce((a, b) => a + b);
  expect(sum).toBeCloseTo(plan.totalCost, 1);
  expect(plan.costs.hashJoin).toBeGreaterThan(0);
  expect(plan.scans.map(({ table, kind }) => `${table} ${kind}`).toSorted()).toEqual([
    "a seqScan",
    "b seqScan",
  ]);
});

test("an index that is only pretended is among those that a scan reads", async ({ client }) => {
  const { rows } = await client.query(
    "SELECT indexname FROM hypopg_create_index('CREATE INDEX ON a (x)')",
  );
  const [scan] = summarize(await planOf(client, "SELECT * FROM a WHERE x = 5")).scans;
  await client.query("SELECT hypopg_reset()");
  expect(scan).toMatchObject({ table: "a", indexes: [rows[0].indexname] });
  expect(scan?.kind).toMatch(/bitmapScan|indexScan/);
});

test("both indexes of a bitmap of two are named", async ({ client }) => {
  const sql = "SELECT * FROM a WHERE id = 5 OR id = 70";
  const [scan] = summarize(await planOf(client, sql)).scans;
  expect(scan).toMatchObject({ kind: "bitmapScan", indexes: ["a_pkey", "a_pkey"] });
});

test("what isn't a plan is refused", () => {
  expect(() => summarize([{ Plan: { "Node Type": "Seq Scan" } }])).toThrow(/Total Cost/);
});
