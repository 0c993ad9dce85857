/** Values for parameters, from real rows. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Catalog, readCatalog } from "../src/catalog.ts";
import { type Instance, parametersOf } from "../src/parameters.ts";
import { understand } from "../src/sql/index.ts";
import { closeEngines, type Database, databaseWith } from "./databases.ts";
import { SHOP } from "./shop.ts";

let database: Database;
let catalog: Catalog;

beforeAll(async () => {
  database = await databaseWith(`${SHOP}; DELETE FROM lines WHERE order_id = 12345`);
  catalog = await readCatalog(database.client);
});

afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await closeEngines();
});

async function instances(sql: string, from = catalog): Promise<readonly Instance[]> {
  const parameters = parametersOf(database.client, from);
  const { queries, skipped } = await understand([{ sql, calls: 1 }], from, parameters);
  expect(skipped).toEqual([]);
  return queries[0]?.instances ?? [];
}

/** How many rows each instance gives. */
async function rowsOf(found: readonly Instance[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const { sql } of found) counts.push((await database.client.query(sql)).rowCount ?? 0);
  return counts;
}

const texts = (found: readonly Instance[]) => found.map(({ sql }) => sql);

test("a text without parameters is left alone", async () => {
  const sql = "SELECT 1 FROM orders WHERE note = 'a $1 that is none'";
  expect(await instances(sql)).toEqual([{ sql, share: 1 }]);
});

test("a skewed column has a typical value and a rare one, by their share of the rows", async () => {
  const found = await instances("SELECT id FROM orders WHERE status = $1");
  const [typical, rare] = await rowsOf(found);
  expect(typical).toBe(18_000);
  expect(rare).toBe(200);
  expect(found[0]?.share).toBeCloseTo(0.9, 1);
  expect(found.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
});

test("where all values are alike one is enough, and it is there", async () => {
  const found = await instances("SELECT id FROM orders WHERE customer_id = $1");
  expect(found).toHaveLength(1);
  expect(await rowsOf(found)).toEqual([10]);
});

test("what has to be equal together comes from one row", async () => {
  const found = await instances(
    "SELECT id FROM orders WHERE customer_id = $1 AND status = $2 AND total = $3",
  );
  for (const count of await rowsOf(found)) expect(count).toBeGreaterThan(0);
});

test("a range begins in the middle, or near its end", async () => {
  const open = await rowsOf(await instances("SELECT id FROM orders WHERE created_at > $1"));
  expect(open[0]).toBeGreaterThan(8_000);
  expect(open[1]).toBeLessThan(1_000);
  const closed = await rowsOf(
    await instances("SELECT id FROM orders WHERE created_at BETWEEN $1 AND $2"),
  );
  for (const count of closed) expect(count).toBeGreaterThan(0);
});

test("a pattern is the beginning of a text that there is, or a part of one", async () => {
  const found = await instances("SELECT id FROM customers WHERE email LIKE $1");
  expect(found.map(({ sql, share }) => [sql.replace(/.*LIKE /, ""), share])).toEqual([
    [expect.stringMatching(/^'u\d{3}%'::text$/), 0.7],
    [expect.stringMatching(/^'%.+%'::text$/), expect.closeTo(0.3)],
  ]);
  for (const count of await rowsOf(found)) expect(count).toBeGreaterThan(0);
});

test("documents, arrays, full text and ranges are asked for what they have", async () => {
  for (const condition of [
    "data @> $1",
    "data ? $1",
    "data ?| $1",
    "tags @> $1",
    "tags && $1",
    "during @> $1::timestamptz",
    "during && $1",
    "to_tsvector('english', body) @@ to_tsquery('english', $1)",
    "to_tsvector('english', body) @@ to_tsquery($1::regconfig, $2)",
    "tags @> ARRAY[$1]",
    "id = ANY ($1)",
    "id IN ($1, $2, $3)",
    "data ->> $1 = $2 OR data ? $3",
    "lower(body) = $1",
  ]) {
    const found = await instances(`SELECT id FROM docs WHERE ${condition}`);
    for (const count of await rowsOf(found))
      expect([condition, count > 0]).toEqual([condition, true]);
  }
});

test("what pg_stat_statements makes of constants is SQL again", async () => {
  const [found] = texts(
    await instances(
      "SELECT extract($1 FROM created_at), date_trunc($2, created_at) FROM orders WHERE created_at > timestamptz $3 - interval $4 AND ($5 IS NULL OR customer_id = $5) ORDER BY id LIMIT $6 OFFSET $7 -- end",
    ),
  );
  expect(found).toContain("extract('day' FROM created_at), date_trunc('day'::text, created_at)");
  expect(found).toContain("interval '1 day'");
  expect(found).toMatch(/\('\d+'::bigint IS NULL OR customer_id = '\d+'::bigint\)/);
  expect(found).toContain("LIMIT '10'::bigint OFFSET '0'::bigint -- end");
});

test("days are no date, though the server would take them for one", async () => {
  const [found] = texts(await instances("SELECT id FROM customers WHERE born <= date $1 - $2"));
  expect(found).toMatch(/date '\d{4}-\d\d-\d\d' - '1'::integer$/);
});

test("an INSERT runs: rows like those that there are, new where they have to be", async () => {
  const { client } = database;
  for (const sql of [
    "INSERT INTO orders (id, customer_id, status, created_at, done) VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)",
    "INSERT INTO customers VALUES ($1, $2, $3, $4)",
    "UPDATE docs SET id = $1, body = $2 WHERE id = $3",
    "DELETE FROM lines WHERE order_id = $1",
    // All other orders have lines, which would not go along.
    "DELETE FROM orders WHERE id = $1",
  ]) {
    const [found = ""] = texts(await instances(sql));
    await client.query("BEGIN");
    expect((await client.query(found)).rowCount).toBeGreaterThan(0);
    await client.query("ROLLBACK");
  }
});

test("without statistics the copy's rows are asked", async () => {
  const blind: Catalog = {
    ...catalog,
    tables: catalog.tables.map((table) => ({
      ...table,
      columns: table.columns.map(({ statistics: _, ...column }) => column),
    })),
  };
  const found = await instances("SELECT id FROM orders WHERE status = $1", blind);
  const [typical = 0, rare = 0] = await rowsOf(found);
  expect(typical).toBe(18_000);
  expect(rare).toBe(200);
  const range = await rowsOf(await instances("SELECT id FROM orders WHERE total > $1", blind));
  expect(range[0]).toBeGreaterThan(8_000);
});

test("letters of more than one byte don't move what follows", async () => {
  const [found] = texts(
    await instances("SELECT /* grün 日本 */ 'ä' FROM orders WHERE id = $1 AND note <> 'ß'"),
  );
  expect(found).toMatch(
    /^SELECT \/\* grün 日本 \*\/ 'ä' FROM orders WHERE id = '\d+'::bigint AND note <> 'ß'$/,
  );
});

test("the same each time", async () => {
  const sql =
    "SELECT 1 FROM orders JOIN customers c ON c.id = customer_id WHERE c.region = $1 AND total > $2";
  expect(await instances(sql)).toEqual(await instances(sql));
});
