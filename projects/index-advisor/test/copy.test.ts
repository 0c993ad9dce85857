/** What is made of a copy before anything is measured there. */
import { beforeEach, expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { connected, load, sharedClient, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases();
const copy = sharedClient(() => databases.scratch);

const TABLES = ["far", "parent", "child", "behind", "whole", "part"];

beforeEach(async () => {
  await load(
    databases,
    `DROP SCHEMA public CASCADE; CREATE SCHEMA public;
     CREATE TABLE far (id int) WITH (autovacuum_enabled = off);
     CREATE TABLE parent (id int PRIMARY KEY) WITH (autovacuum_enabled = off);
     CREATE TABLE child (id int REFERENCES parent) WITH (autovacuum_enabled = off);
     CREATE TABLE behind (id int) WITH (autovacuum_enabled = off);
     CREATE VIEW seen AS SELECT * FROM behind;
     CREATE VIEW seen_again AS SELECT * FROM seen;
     CREATE TABLE whole (id int) PARTITION BY LIST (id);
     CREATE TABLE part PARTITION OF whole DEFAULT WITH (autovacuum_enabled = off);
     INSERT INTO parent SELECT generate_series(1, 9);
     INSERT INTO child SELECT id FROM parent; INSERT INTO far SELECT id FROM parent;
     INSERT INTO behind SELECT id FROM parent; INSERT INTO whole SELECT id FROM parent`,
  );
});

async function advised(...statements: readonly string[]): Promise<string[]> {
  const said: string[] = [];
  const { target, scratch } = databases;
  const { skipped } = await advise(
    { statements: statements.map((sql) => ({ sql, calls: 1 })) },
    { target, scratch, onProgress: (text) => said.push(text) },
  );
  expect(skipped).toEqual([]);
  return said;
}

/** Before its first ANALYZE or VACUUM, the number of a table's rows is -1. */
async function analyzed(): Promise<string[]> {
  const { rows } = await copy.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relname = ANY ($1) AND reltuples >= 0 ORDER BY 1",
    [TABLES],
  );
  return rows.map(({ name }) => name);
}

test.each([
  ["SELECT * FROM parent", ["parent"]],
  ["DELETE FROM parent WHERE id = 77", ["child", "parent"]],
  ["SELECT * FROM seen_again WHERE id = 3", ["behind"]],
  ["WITH far AS (SELECT * FROM public.child) SELECT * FROM far", ["child"]],
  ["SELECT * FROM whole", ["part", "whole"]],
  ["SELECT * FROM part", ["part"]],
])("%s: only what it is about gets statistics", async (sql, tables) => {
  await advised(sql);
  expect(await analyzed()).toEqual(tables);
});

test("where a trigger may ask anything, all tables get them", async () => {
  await load(
    databases,
    `CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO far VALUES (1); RETURN NEW; END $$;
     CREATE TRIGGER noted AFTER INSERT ON behind FOR EACH ROW EXECUTE FUNCTION noted()`,
  );
  await advised("INSERT INTO behind VALUES (1)");
  expect(await analyzed()).toEqual(TABLES.toSorted());
});

test("the copy's planner is asked with what the target's database has been told", async () => {
  await load(databases, "CREATE SCHEMA apart; CREATE TABLE apart.things AS SELECT * FROM parent");
  await using admin = await connected(databases.targetAdmin);
  const { rows } = await admin.query<{ name: string }>(
    "SELECT quote_ident(current_database()) AS name",
  );
  const database = `ALTER DATABASE ${rows[0]?.name}`;
  await admin.query(`${database} SET search_path = apart; ${database} SET random_page_cost = 1.25`);
  const said = await advised("SELECT * FROM things");
  await admin.query(`${database} RESET ALL; DROP SCHEMA apart CASCADE`);
  await copy.query("DROP SCHEMA apart CASCADE");
  expect(said).toContain(
    "random_page_cost is 1.25 in the database and was 4 in the copy: it is now the same",
  );
  expect(said.join("\n")).toContain("search_path is apart in the database");
});

test("an index that only the copy has is not looked at, and one that it lacks is said", {
  timeout: 60_000,
}, async () => {
  const { target, scratch } = databases;
  const rows = "INSERT INTO far SELECT generate_series(10, 30000)";
  await load(databases, rows);
  await copy.query("CREATE INDEX only_here ON far (id)");
  await using other = await connected(target);
  await other.query("CREATE INDEX only_there ON parent (id) WHERE id > 3");
  const said: string[] = [];
  const { create } = await advise(
    {
      statements: [
        { sql: "SELECT * FROM far WHERE id = 7", calls: 100 },
        { sql: "SELECT * FROM parent", calls: 1 },
      ],
    },
    { target, scratch, budgetMs: 40_000, onProgress: (text) => said.push(text) },
  );
  expect(said).toContain("only_here is in the copy and not in the database: it is not looked at");
  expect(said.join("\n")).toContain("the copy lacks only_there");
  expect(create).toMatchObject([
    { sql: expect.stringMatching(/ON public\.far USING btree \(id\)$/) },
  ]);
  expect(create[0]?.sizeBytes).toBeGreaterThan(8_192);
  const { rowCount } = await copy.query("SELECT FROM pg_indexes WHERE indexname = 'only_here'");
  expect(rowCount).toBe(1);
});
