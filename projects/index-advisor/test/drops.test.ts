/** What is superfluous, on a real catalogue. */
import { afterAll, expect, test } from "vitest";
import { readCatalog } from "../src/catalog.ts";
import { superfluous } from "../src/drops.ts";
import { closeEngines, connected, openDatabases } from "./databases.ts";

afterAll(closeEngines);

test("of what is the same or begins another, what holds something up stays", async () => {
  await using databases = await openDatabases();
  await using client = await connected(databases.target);
  await client.query(`
    CREATE TABLE parents (id int PRIMARY KEY, code text NOT NULL, region text, born date);
    CREATE INDEX parents_id_again ON parents (id);
    CREATE UNIQUE INDEX parents_code_key ON parents (code);
    CREATE TABLE children (parent text REFERENCES parents (code), n int);
    CREATE INDEX older ON parents (region);
    CREATE INDEX younger ON parents (region);
    CREATE INDEX longer ON parents (region, born);
    CREATE INDEX the_other_way ON parents (region DESC, born);
    CREATE INDEX another_class ON parents (region text_pattern_ops);
    CREATE INDEX partly ON parents (region) WHERE born IS NULL;
    CREATE UNIQUE INDEX apart ON children (n);
    CREATE INDEX apart_longer ON children (n, parent);
    CREATE INDEX whole ON children USING hash (parent);
    INSERT INTO children SELECT NULL, 1;`);
  await client.query("INSERT INTO parents SELECT i, i::text FROM generate_series(1, 2) AS i");
  await expect(
    client.query("CREATE UNIQUE INDEX CONCURRENTLY ruin ON parents ((1))"),
  ).rejects.toThrow();
  const drops = await superfluous(client, await readCatalog(client));
  const named = drops.map(({ sql: _, ...told }) => told);
  expect(named.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: "public.older", reason: "redundant-prefix", keep: "public.longer" },
    { name: "public.parents_id_again", reason: "duplicate", keep: "public.parents_pkey" },
    { name: "public.ruin", reason: "invalid", keep: null },
    { name: "public.younger", reason: "redundant-prefix", keep: "public.longer" },
  ]);
});

async function dropsOf(sql: string) {
  await using databases = await openDatabases();
  await using client = await connected(databases.target);
  await client.query(sql);
  return await superfluous(client, await readCatalog(client));
}

test("what differs in how it is stored, or in its operator classes' parameters, is not the same", async () => {
  const drops = await dropsOf(`
    CREATE TABLE many (x int, words tsvector);
    CREATE INDEX coarse ON many USING brin (x) WITH (pages_per_range = 128);
    CREATE INDEX fine ON many USING brin (x) WITH (pages_per_range = 4);
    CREATE INDEX wide ON many USING gist (words tsvector_ops (siglen = 900));
    CREATE INDEX narrow ON many USING gist (words tsvector_ops (siglen = 100));
    CREATE INDEX loose ON many (x) WITH (fillfactor = 50);
    CREATE INDEX dense ON many (x);
    CREATE INDEX again ON many (x)`);
  expect(drops).toEqual([
    {
      name: "public.again",
      reason: "duplicate",
      keep: "public.dense",
      sql: "DROP INDEX CONCURRENTLY public.again",
    },
  ]);
});

test("an index of a partitioned table that waits for its parts is no ruin", async () => {
  const drops = await dropsOf(`
    CREATE TABLE parts (x int) PARTITION BY RANGE (x);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);
    CREATE INDEX waiting ON ONLY parts (x);
    CREATE INDEX twice ON parts (x)`);
  expect(drops).toEqual([]);
});

test("a name is quoted where it has to be, and a dot in it is no schema's", async () => {
  const drops = await dropsOf(`
    CREATE SCHEMA "a.b";
    CREATE TABLE "a.b"."T" (x int PRIMARY KEY);
    CREATE INDEX "Orders; DROP TABLE x" ON "a.b"."T" (x)`);
  expect(drops.map(({ sql }) => sql)).toEqual([
    'DROP INDEX CONCURRENTLY "a.b"."Orders; DROP TABLE x"',
  ]);
});

test("what another role builds at this moment is no ruin, though its progress is hidden", async () => {
  await using databases = await openDatabases();
  await using client = await connected(databases.target);
  await client.query("CREATE TABLE busy (x int); INSERT INTO busy VALUES (1)");
  await using writer = await connected(databases.target);
  await writer.query("BEGIN; INSERT INTO busy VALUES (2)");
  await using builder = await connected(databases.targetAdmin);
  const building = builder.query("CREATE INDEX CONCURRENTLY growing ON busy (x)");
  const seen = "SELECT FROM pg_class WHERE relname = 'growing'";
  await expect.poll(async () => (await client.query(seen)).rowCount).toBe(1);
  expect(await superfluous(client, await readCatalog(client))).toEqual([]);
  await writer.query("COMMIT");
  await building;
});
