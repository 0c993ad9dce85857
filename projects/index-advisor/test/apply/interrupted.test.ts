/** A build that is ended from this side, in the middle. */
import { setTimeout as wait } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { apply, longestOf } from "../../src/apply.ts";
import { connected, sharedClient, sharedDatabases } from "../databases.ts";

const databases = sharedDatabases();
// 10 ms each: a build of 20 seconds.
const client = sharedClient(
  () => databases.target,
  `
    CREATE TABLE slow AS SELECT i AS id FROM generate_series(1, 2000) AS i;
    CREATE FUNCTION slowly(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(0.01); RETURN $1; END $$`,
);

const limits = { lockTimeoutMs: 1_000, statementTimeoutMs: 60_000, drop: [] };
const create = ["first", "second"].map((name) => ({
  name,
  sql: `CREATE INDEX CONCURRENTLY ${name} ON public.slow (public.slowly(id))`,
}));
const IN_THE_MAKING =
  "SELECT FROM pg_stat_progress_create_index WHERE relid = 'slow'::regclass AND phase LIKE 'building%'";

async function isBuilding(): Promise<boolean> {
  return (await client.query(IN_THE_MAKING)).rowCount === 1;
}

async function untilBuilding(): Promise<void> {
  while (!(await isBuilding())) await wait(20);
}

async function indexes(): Promise<unknown[]> {
  const { rows } = await client.query(
    "SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid = 'slow'::regclass",
  );
  return rows;
}

beforeEach(async () => {
  expect(await indexes()).toEqual([]);
});

test("it ends on the server too, nothing of it is left, and nothing more is begun", async () => {
  const interrupted = new AbortController();
  const applied = apply(
    databases.target,
    { ...limits, create },
    { signal: interrupted.signal, budgetMs: longestOf({ ...limits, create }) },
  );
  await untilBuilding();
  const before = performance.now();
  interrupted.abort();
  expect(await applied).toEqual({
    built: [],
    dropped: [],
    failed: [
      { name: "first", why: "interrupted" },
      { name: "second", why: "Interrupted before it was begun." },
    ],
  });
  expect(performance.now() - before).toBeLessThan(10_000);
  expect(await isBuilding()).toBe(false);
  expect(await indexes()).toEqual([]);
});

test("somebody's open transaction is in the way of putting right: what is left is named", async () => {
  await using other = await connected(databases.target);
  const interrupted = new AbortController();
  const applied = apply(
    databases.target,
    { ...limits, create: create.slice(0, 1) },
    // Of what is left when it is interrupted, 0.8 may be used: the 30 seconds of a call without a limit are for people.
    { signal: interrupted.signal, budgetMs: 8_000 },
  );
  await untilBuilding();
  await other.query("BEGIN; INSERT INTO slow VALUES (0)");
  interrupted.abort();
  const { failed } = await applied;
  expect(failed).toEqual([
    {
      name: "first",
      why: expect.stringMatching(
        /^interrupted; .*open\. .*DROP INDEX CONCURRENTLY public\.first;$/s,
      ),
    },
  ]);
  await other.query("ROLLBACK");
  await client.query("DROP INDEX IF EXISTS first");
});

test("nothing is begun for which there is no time", async () => {
  // The first is stopped when seven tenths of it are over; the rest is for putting things right.
  const { built, failed } = await apply(
    databases.target,
    { ...limits, create },
    { budgetMs: 5_000 },
  );
  expect(built).toEqual([]);
  expect(failed.map(({ why }) => why)).toEqual([
    expect.stringContaining("statement timeout"),
    "Not begun: the time of this call is over. Call again.",
  ]);
});

test("a connection that breaks ends the build, and nothing of it is left", async () => {
  const applied = apply(databases.target, { ...limits, create: create.slice(0, 1) });
  const ended = expect(applied).rejects.toMatchObject({ code: "TARGET_UNAVAILABLE" });
  await untilBuilding();
  await client.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index WHERE relid = 'slow'::regclass",
  );
  await ended;
  expect(await indexes()).toEqual([]);
});

test("limits longer than a timer can count are as long as one can", () => {
  const day = 86_400_000;
  const many = Array.from({ length: 30 }, () => create[0] as (typeof create)[number]);
  const request = { ...limits, statementTimeoutMs: day, create: many };
  expect(longestOf(request)).toBeGreaterThan(2 ** 31);
  return expect(
    apply(databases.target, { ...request, create: [] }, { budgetMs: longestOf(request) }),
  ).resolves.toMatchObject({ built: [] });
});
