/** What is dropped is what was meant. */
import { expect, test } from "vitest";
import type { Drop } from "../../src/apply/drop.ts";
import { apply } from "../../src/apply.ts";
import { connected, sharedClient, sharedDatabases } from "../databases.ts";

const databases = sharedDatabases();
const client = sharedClient(() => databases.target);

async function dropped(...drop: readonly Drop[]) {
  const { target } = databases;
  const limits = { lockTimeoutMs: 500, statementTimeoutMs: 10_000 };
  const result = await apply(target, { ...limits, create: [], drop });
  return { dropped: result.dropped, why: result.failed.map(({ why }) => why) };
}

test("a name that two indexes could have is refused", async () => {
  await client.query(`
    CREATE SCHEMA "a.b"; CREATE SCHEMA a;
    CREATE TABLE "a.b".t (x int); CREATE INDEX c ON "a.b".t (x);
    CREATE TABLE a.t (x int); CREATE INDEX "b.c" ON a.t (x)`);
  const { dropped: gone, why } = await dropped({ name: "a.b.c" });
  expect(gone).toEqual([]);
  expect(why).toEqual([expect.stringMatching(/^a\.b\.c can be read as /)]);
  await client.query('DROP SCHEMA "a.b" CASCADE');
  expect(await dropped({ name: "a.b.c" })).toEqual({ dropped: ["a.b.c"], why: [] });
});

test("one that somebody has built to its end is no ruin any more", async () => {
  await client.query("CREATE TABLE done (x int); CREATE INDEX whole ON done (x)");
  const { why } = await dropped({ name: "public.whole", reason: "invalid" });
  expect(why).toEqual(["public.whole is valid by now: somebody has built it to its end."]);
});

test("one of a partitioned table, and what belongs to it, stays", async () => {
  await client.query(`
    CREATE TABLE parts (x int) PARTITION BY RANGE (x);
    CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9);
    CREATE INDEX parts_x ON parts (x)`);
  const { dropped: gone, why } = await dropped(
    { name: "public.parts_x" },
    { name: "public.part_x_idx" },
  );
  expect(gone).toEqual([]);
  expect(why).toEqual([
    expect.stringContaining("partitioned table"),
    expect.stringContaining("partitioned index"),
  ]);
});

test("what another role builds at this moment is left alone, though its progress is hidden", async () => {
  await client.query("CREATE TABLE busy (x int); INSERT INTO busy VALUES (1)");
  await using writer = await connected(databases.target);
  await writer.query("BEGIN; INSERT INTO busy VALUES (2)");
  await using builder = await connected(databases.targetAdmin);
  const building = builder.query("CREATE INDEX CONCURRENTLY growing ON busy (x)");
  const seen = "SELECT FROM pg_class WHERE relname = 'growing'";
  await expect.poll(async () => (await client.query(seen)).rowCount).toBe(1);
  const { why } = await dropped({ name: "public.growing", reason: "invalid" });
  expect(why).toEqual([expect.stringMatching(/it may be in the making/)]);
  await writer.query("COMMIT");
  await building;
});
