/** A narrow index that a wide one begins with, and whoever reads much of it. */
import { expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { connected, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases(
  `CREATE TABLE things (id int PRIMARY KEY, a int NOT NULL, b text NOT NULL);
   INSERT INTO things SELECT i, i, repeat(md5(i::text), 12) FROM generate_series(1, 40000) AS i;
   CREATE INDEX narrow ON things (a);
   CREATE INDEX wide ON things (a, b)`,
);

async function dropsFor(sql: string) {
  const { target, scratch } = databases;
  const { drop } = await advise(
    { statements: [{ sql, calls: 10 }] },
    { target, scratch, budgetMs: 40_000 },
  );
  return drop.map(({ name }) => name);
}

const range = "SELECT count(*) FROM things WHERE a BETWEEN 100 AND 30000";

test("is dropped where nobody reads it", { timeout: 60_000 }, async () => {
  expect(await dropsFor("SELECT * FROM things WHERE id = 7")).toEqual(["public.narrow"]);
});

test("is dropped where the wide one does as well", { timeout: 60_000 }, async () => {
  expect(await dropsFor("SELECT b FROM things WHERE a = 7")).toEqual(["public.narrow"]);
});

test("is kept where it is read from end to end, and the copy still has it", {
  timeout: 60_000,
}, async () => {
  expect(await dropsFor(range)).toEqual([]);
  await using client = await connected(databases.scratch);
  const { rows } = await client.query(
    "SELECT indexname AS name FROM pg_indexes WHERE tablename = 'things' ORDER BY 1",
  );
  expect(rows.map(({ name }) => name)).toEqual(["narrow", "things_pkey", "wide"]);
});
