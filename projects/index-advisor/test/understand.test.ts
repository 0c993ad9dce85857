/** What statements ask of their tables, as a real server and PostgreSQL's grammar see them. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Catalog, readCatalog } from "../src/catalog.ts";
import type { Access, Query } from "../src/model.ts";
import { parametersOf } from "../src/parameters.ts";
import { understand } from "../src/sql/index.ts";
import { closeEngines, type Database, databaseWith } from "./databases.ts";
import { SHOP } from "./shop.ts";

let database: Database;
let catalog: Catalog;

beforeAll(async () => {
  database = await databaseWith(SHOP);
  catalog = await readCatalog(database.client);
});

afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await closeEngines();
});

const understood = (...sql: string[]) =>
  understand(
    sql.map((text) => ({ sql: text, calls: 1 })),
    catalog,
    parametersOf(database.client, catalog),
  );

async function one(sql: string): Promise<Query> {
  const { queries, skipped } = await understood(sql);
  expect(skipped).toEqual([]);
  const [query] = queries;
  if (query === undefined) throw new Error("It was not understood.");
  return query;
}

/** `alias.key comparison operator? =constant? ->alias.column? |or/arm`. */
function told({ alias, predicates }: Access): readonly string[] {
  return predicates.map((p) =>
    [
      `${alias}.${p.column ?? `(${p.expression})`}`,
      p.comparison,
      p.operator,
      p.constant === undefined ? undefined : `=${p.constant}`,
      p.joins === undefined ? undefined : `->${p.joins.alias}.${p.joins.column}`,
      p.or === undefined ? undefined : `|${p.or}/${p.arm}`,
    ]
      .filter((part) => part !== undefined)
      .join(" "),
  );
}

const predicates = async (sql: string) => (await one(sql)).accesses.flatMap(told);

const where = (condition: string) => `SELECT id FROM orders WHERE ${condition}`;
const docs = (condition: string) => `SELECT id FROM docs WHERE ${condition}`;

test.each([
  ["id = 5 AND 100 < total", ["id equal =5", "total range =100"]],
  ["id IN (1, 2) AND id = ANY ('{3}')", ["id in =1, 2", "id in ='{3}'"]],
  ["total BETWEEN 1 AND 2", ["total range =1", "total range =2"]],
  ["note LIKE 'a%' AND note LIKE '%b'", ["note prefix ~~ ='a%'", "note like ~~ ='%b'"]],
  ["note ILIKE 'a%' AND note ~ '^abc'", ["note like ~~* ='a%'", "note prefix ~ ='^abc'"]],
  ["starts_with(note, 'ab')", ["note prefix ^@ ='ab'"]],
  [
    "done AND NOT done AND done IS FALSE",
    ["done equal =true", "done equal =false", "done equal =false"],
  ],
  ["note IS NULL AND NOT total IS NULL", ["note is-null", "total is-not-null"]],
  ["status <> 'done'", ["status filter <> ='done'"]],
  ["(created_at, id) > ('2025-01-02', 7)", ["created_at range ='2025-01-02'", "id range =7"]],
  [
    "(customer_id, done) IN ((1, true), (2, false))",
    ["customer_id in =1, 2", "done in =true, false"],
  ],
  ["created_at > now() - interval '1 day'", ["created_at range =now() - '1 day'::interval"]],
])("WHERE %s", async (condition, expected) => {
  const found = await predicates(where(condition));
  expect(found.filter((text) => !text.includes("|"))).toEqual(
    expected.map((text) => `orders.${text}`),
  );
});

test("a column that is cast before it is compared is no column any more", async () => {
  expect(await predicates(where("id = 1.5"))).toEqual(["orders.((id)::numeric) equal =1.5"]);
  expect(await predicates(where("note::varchar = 'x'"))).toEqual(["orders.note equal ='x'"]);
  expect(
    await predicates(where("date_trunc('day', created_at AT TIME ZONE 'UTC') = '2025-01-02'")),
  ).toEqual([
    "orders.(date_trunc('day'::text, (created_at AT TIME ZONE 'UTC'::text))) equal ='2025-01-02'",
  ]);
  // What depends on the session's time zone can't be in any index.
  expect(await predicates(where("created_at::date = '2025-01-02'"))).toEqual([]);
});

test("an expression is written as the server writes it, with its type", async () => {
  const { accesses } = await one("SELECT 1 FROM customers AS c WHERE lower(c.email) = 'x'");
  expect(accesses[0]?.predicates).toMatchObject([
    {
      expression: "lower((email)::text)",
      type: "text",
      condition: "lower((email)::text) = 'x'::text",
    },
  ]);
});

test("documents, arrays, texts, ranges and places", async () => {
  const sql = docs(
    "data @> '{}' AND data ? 'a' AND data ->> 'kind' = 'k1' AND tags && '{a}' AND during @> now() AND to_tsvector('english', body) @@ 'x' AND 'a1' = ANY (tags)",
  );
  expect(await predicates(sql)).toEqual([
    "docs.data operator @> ='{}'",
    "docs.data operator ? ='a'",
    "docs.(data ->> 'kind'::text) equal ='k1'",
    "docs.tags operator && ='{a}'",
    "docs.during operator @> =now()",
    "docs.(to_tsvector('english'::regconfig, body)) operator @@ ='x'",
    // No GIN answers that, but a partial index may say it.
    "docs.tags filter",
  ]);
  const near = await one("SELECT id FROM docs ORDER BY place <-> '(1,2)' LIMIT 3");
  expect(near.accesses[0]).toMatchObject({
    sort: [{ column: "place", distanceTo: "'(1,2)'" }],
    limit: true,
  });
});

test("arms of an OR are told apart, and from what holds anyway", async () => {
  const found = await predicates(where("done AND (id = 1 OR (status = 'open' AND total > 5))"));
  expect(found).toEqual([
    "orders.done equal =true",
    "orders.id filter",
    "orders.id equal =1 |1/0",
    "orders.status equal ='open' |1/1",
    "orders.total range =5 |1/1",
  ]);
});

test("joins go both ways, in ON, USING, WHERE, IN and EXISTS", async () => {
  const both = ["o.customer_id equal ->c.id", "c.id equal ->o.customer_id"];
  for (const sql of [
    "SELECT 1 FROM orders o JOIN customers c ON c.id = o.customer_id",
    "SELECT 1 FROM orders o, customers c WHERE o.customer_id = c.id",
    "SELECT 1 FROM orders o WHERE EXISTS (SELECT FROM customers c WHERE c.id = o.customer_id)",
    "SELECT 1 FROM orders o WHERE o.customer_id IN (SELECT c.id FROM customers c)",
    "WITH c AS (SELECT id AS i FROM customers c) SELECT 1 FROM orders o JOIN c ON o.customer_id = c.i",
    "SELECT 1 FROM orders o JOIN LATERAL (SELECT c.id FROM customers c WHERE c.id = o.customer_id) x ON true",
  ])
    expect((await predicates(sql)).toSorted()).toEqual(both.toSorted());
  expect(
    await predicates(
      "SELECT 1 FROM lines JOIN (SELECT id AS order_id FROM orders) o USING (order_id)",
    ),
  ).toEqual(["lines.order_id equal ->orders.id", "orders.id equal ->lines.order_id"]);
});

test("a subquery's one value is looked up like a constant", async () => {
  const sub = "(SELECT id FROM customers c WHERE c.region = 'r1' LIMIT 1)";
  for (const [condition, comparison] of [
    [`customer_id = ${sub}`, "equal"],
    [`customer_id = ANY (ARRAY ${sub})`, "in"],
  ])
    expect(await predicates(where(condition ?? ""))).toEqual([
      `orders.customer_id ${comparison}`,
      "c.region equal ='r1'",
    ]);
});

test("a view is what it stands for", async () => {
  expect(await predicates("SELECT * FROM open_orders v WHERE who = 5")).toEqual([
    "orders.status equal ='open'::text",
    "orders.customer_id equal =5",
  ]);
});

test("orders, groups and extremes", async () => {
  const access = async (sql: string) => (await one(sql)).accesses[0];
  expect(
    await access("SELECT id, created_at AS c FROM orders ORDER BY c DESC, 1 NULLS FIRST LIMIT 5"),
  ).toMatchObject({
    sort: [
      { column: "created_at", descending: true },
      { column: "id", descending: false, nulls: "first" },
    ],
    limit: true,
    reads: ["id", "created_at"],
  });
  expect(await access("SELECT max(total) FROM orders WHERE done")).toMatchObject({
    sort: [{ column: "total", descending: true }],
    limit: true,
  });
  expect(await access("SELECT status, count(*) FROM orders GROUP BY 1 ORDER BY 2")).toMatchObject({
    group: ["status"],
    sort: [],
  });
  // An order of two tables is nobody's.
  expect(
    await access(
      "SELECT 1 FROM orders o JOIN customers c ON c.id = o.customer_id ORDER BY o.total, c.born",
    ),
  ).toMatchObject({ sort: [] });
});

test("writes name what they write", async () => {
  expect(
    await one("UPDATE orders SET note = 'x', done = true WHERE customer_id = 1"),
  ).toMatchObject({
    kind: "update",
    accesses: [{ writes: ["note", "done"], predicates: [{ column: "customer_id" }] }],
  });
  expect(await one("DELETE FROM lines WHERE order_id = 5")).toMatchObject({
    kind: "delete",
    accesses: [{ writes: ["order_id", "n", "what"] }],
  });
  expect(await one("INSERT INTO lines SELECT id, 2, 'x' FROM orders WHERE done")).toMatchObject({
    kind: "insert",
    accesses: [{ table: "lines" }, { table: "orders", predicates: [{ column: "done" }] }],
  });
  expect(
    await one("WITH d AS (DELETE FROM lines WHERE n = 7 RETURNING order_id) SELECT * FROM d"),
  ).toMatchObject({
    kind: "delete",
  });
});

test("what can't be used is skipped, with the reason, and the rest goes on", async () => {
  const { queries, skipped } = await understood(
    "SELEC 1",
    "SELECT 1 FROM nowhere",
    "SELECT nothing FROM orders",
    "VACUUM orders",
    "SELECT 1; SELECT 2",
    "SELECT * INTO copy FROM orders",
    " -- nothing",
    "SELECT 1 FROM orders WHERE id = 'x'",
    "SELECT id FROM orders WHERE id = 1;",
  );
  expect(queries.map(({ statement }) => statement)).toEqual([8]);
  expect(skipped.map(({ statement, why }) => `${statement} ${why}`)).toMatchInlineSnapshot(`
    [
      "0 PostgreSQL's grammar doesn't accept it: syntax error at or near "SELEC".",
      "1 The server doesn't accept it: relation "nowhere" does not exist.",
      "2 The server doesn't accept it: column "nothing" does not exist.",
      "3 Only SELECT, INSERT, UPDATE and DELETE can gain from an index.",
      "4 It is 2 statements; give them one by one.",
      "5 SELECT INTO makes a table; give the SELECT alone.",
      "6 There is no statement in it.",
      "7 The server doesn't accept it: invalid input syntax for type bigint: "x".",
    ]
  `);
});

test("the copy is as before, and can be asked again", async () => {
  const { client } = database;
  const state = async () =>
    (
      await client.query(
        "SELECT count(*)::int AS n, (SELECT count(*)::int FROM pg_prepared_statements) AS p FROM pg_class",
      )
    ).rows;
  const before = await state();
  const sql = "SELECT 1 FROM customers WHERE lower(email) = $1 AND region = 'r1'";
  expect(await understood(sql)).toEqual(await understood(sql));
  expect(await state()).toEqual(before);
});
