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
  expect(drops.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
    { name: "public.older", reason: "redundant-prefix", keep: "public.longer" },
    { name: "public.parents_id_again", reason: "duplicate", keep: "public.parents_pkey" },
    { name: "public.ruin", reason: "invalid", keep: null },
    { name: "public.younger", reason: "duplicate", keep: "public.longer" },
  ]);
});
