/** Builds on a real server, with somebody in the way. */
import { expect, test } from "vitest";
import { apply } from "../../src/apply.ts";
import { sharedClient, sharedDatabases } from "../databases.ts";

const databases = sharedDatabases();
const client = sharedClient(
  () => databases.target,
  `CREATE TABLE "Things" AS SELECT i AS id, md5(i::text) AS "A b" FROM generate_series(1, 50000) AS i`,
);

const one = {
  name: "The one",
  sql: `CREATE INDEX CONCURRENTLY "The one" ON public."Things" USING btree ("A b")`,
};
const limits = { lockTimeoutMs: 300, statementTimeoutMs: 20_000, drop: [] };

async function indexes(): Promise<unknown[]> {
  const { rows } = await client.query(
    `SELECT relname AS name, indisvalid AS valid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
     WHERE indrelid = '"Things"'::regclass`,
  );
  return rows;
}

test("an index is built once, and dropped on request", async () => {
  const built = { built: ["The one"], dropped: [], failed: [] };
  expect(await apply(databases.target, { ...limits, create: [one] })).toEqual(built);
  expect(await apply(databases.target, { ...limits, create: [one] })).toEqual(built);
  expect(await indexes()).toEqual([{ name: "The one", valid: true }]);
  const drop = [{ name: "public.The one" }];
  expect(await apply(databases.target, { ...limits, create: [], drop })).toEqual({
    built: [],
    dropped: ["public.The one"],
    failed: [],
  });
  expect(await indexes()).toEqual([]);
});

test("a build that takes too long leaves nothing", async () => {
  const result = await apply(databases.target, { ...limits, create: [one], statementTimeoutMs: 5 });
  expect(result.failed).toMatchObject([{ name: "The one", why: expect.stringMatching("timeout") }]);
  expect(await indexes()).toEqual([]);
});

test("somebody's open transaction is waited for no longer than allowed, and nothing is left", async () => {
  await client.query(`BEGIN; UPDATE "Things" SET "A b" = '' WHERE id = 1`);
  const result = await apply(databases.target, { ...limits, create: [one] });
  await client.query("ROLLBACK");
  expect(result.failed).toMatchObject([
    { name: "The one", why: expect.stringMatching(/locked for longer than 300 ms/) },
  ]);
  expect(await indexes()).toEqual([]);
});

test("an invalid one of that name, left from before, is replaced", async () => {
  await client.query(`SET statement_timeout = 5`);
  await expect(client.query(one.sql)).rejects.toThrow("timeout");
  await client.query(`RESET statement_timeout`);
  expect(await indexes()).toEqual([{ name: "The one", valid: false }]);
  expect(await apply(databases.target, { ...limits, create: [one] })).toMatchObject({
    built: ["The one"],
  });
  expect(await indexes()).toEqual([{ name: "The one", valid: true }]);
});

test("what isn't one concurrent build of that name is not run", async () => {
  const create = [
    { name: "x", sql: `DROP TABLE "Things"` },
    { name: "x", sql: `CREATE INDEX CONCURRENTLY y ON public."Things" (id)` },
    { name: "x", sql: `CREATE INDEX x ON public."Things" (id)` },
  ];
  const { built, failed } = await apply(databases.target, { ...limits, create });
  expect(built).toEqual([]);
  expect(failed).toHaveLength(3);
});

test("a server that isn't there is named", async () => {
  const gone = new URL(databases.target);
  gone.port = "1";
  await expect(apply(gone.href, { ...limits, create: [one] })).rejects.toMatchObject({
    code: "TARGET_UNAVAILABLE",
  });
});
