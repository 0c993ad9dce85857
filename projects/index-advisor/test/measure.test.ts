/** What is measured of statements, on a real server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, Deadline, type Session } from "../src/database.ts";
import { Bench } from "../src/measure.ts";
import type { Query } from "../src/model.ts";
import { explainedOf, writesOf } from "../src/plan.ts";
import { BuildFailed, Builds } from "../src/whatif/builds.ts";
import { sharedDatabases } from "./databases.ts";
import { candidate, query } from "./sketch.ts";

const databases = sharedDatabases(
  `CREATE TABLE things (id int PRIMARY KEY, a int NOT NULL, b int NOT NULL);
   INSERT INTO things SELECT i, i % 500, i FROM generate_series(1, 20000) AS i;
   CREATE TABLE gone (LIKE things);
   CREATE VIEW positive AS SELECT id, a FROM things WHERE b > 0;
   ANALYZE things`,
);
let session: Session;

beforeAll(async () => {
  session = await connect("scratch", databases.scratch, { deadline: new Deadline(60_000) });
  await session.client.query("VACUUM things");
});

afterAll(() => session[Symbol.asyncDispose]());

function benchOf(builds: Builds): Bench {
  return new Bench(session, builds, {
    repetitions: 5,
    deadline: new Deadline(50_000),
    signal: new AbortController().signal,
    behind: () => new Set(),
  });
}

describe("what a plan writes", () => {
  const written = async (sql: string) => {
    const { rows } = await session.client.query(`EXPLAIN (FORMAT JSON) ${sql}`);
    return writesOf(explainedOf(rows)).map(({ kind, table }) => `${kind} ${table}`);
  };

  test.each([
    ["SELECT 1", []],
    ["UPDATE positive SET a = 1 WHERE id = 1", ["update things"]],
    [
      "WITH old AS (DELETE FROM things WHERE id < 9 RETURNING *) INSERT INTO gone SELECT * FROM old",
      ["insert gone", "delete things"],
    ],
    [
      "INSERT INTO things VALUES (1, 1, 1) ON CONFLICT (id) DO UPDATE SET a = 2",
      ["insert things", "update things"],
    ],
    ["INSERT INTO things VALUES (1, 1, 1) ON CONFLICT (id) DO NOTHING", ["insert things"]],
  ])("%s", async (sql, expected) => {
    expect(await written(sql)).toEqual(expected);
  });
});

test("what takes many times as long is stopped, and is begun anew where it may take longer", async () => {
  await using stack = new AsyncDisposableStack();
  const builds = new Builds(session);
  stack.defer(() => builds.drop());
  const bench = benchOf(builds);
  const index = candidate(["a"], [0]);
  await builds.build(index);
  // Each of the 18 rows that are found takes 20 ms, whatever finds them.
  const slow: Query = query(0, "SELECT pg_sleep(0.02) FROM things WHERE a = 7 AND id < 9000", [
    "a",
  ]);
  const [is = []] = await bench.measure([slow], [[index]]);
  expect(is[0]?.uses.size).toBe(1);
  const times = 1 / 4;
  const [without = []] = await bench.measure([slow], [[]], { within: { timings: is, times } });
  expect(without[0]?.parts[0]?.isStopped).toBe(true);
  expect(without[0]?.medianMs).toBeLessThan(is[0]?.medianMs ?? 0);
  const [anew = []] = await bench.measure([slow], [[]], { within: { timings: is, times: 10 } });
  expect(anew[0]?.parts[0]?.isStopped).toBe(false);
});

test("an index that a view's table has changes the view's plan", async () => {
  await using stack = new AsyncDisposableStack();
  const builds = new Builds(session);
  stack.defer(() => builds.drop());
  const bench = benchOf(builds);
  const index = candidate(["a"], []);
  await builds.build(index);
  const view = query(1, "SELECT * FROM positive WHERE a = 3", [], { accesses: [] });
  const [before = [], after = []] = await bench.measure([view], [[], [index]]);
  expect(before[0]?.uses.size).toBe(0);
  expect(after[0]?.uses.size).toBe(1);
});

test("rows that measuring leaves dead don't stay", async () => {
  const bench = benchOf(new Builds(session));
  const write = query(2, "UPDATE things SET b = b + 1", [], { kind: "update", writes: ["b"] });
  await bench.measure([write], [[]]);
  const { rows } = await session.client.query<{ pages: number }>(
    "SELECT (pg_relation_size('things') / 8192)::int AS pages",
  );
  const { rows: fresh } = await session.client.query<{ pages: number }>(
    "SELECT count(DISTINCT (ctid::text::point)[0])::int AS pages FROM things",
  );
  expect(rows[0]?.pages).toBe(fresh[0]?.pages);
});

test("a build that takes longer than it may fails by itself, and nothing of it is there", async () => {
  const builds = new Builds(session, () => 1);
  await expect(builds.build(candidate(["b"], [0]))).rejects.toThrow(BuildFailed);
  expect(builds.all).toEqual([]);
  const { rows } = await session.client.query(
    "SELECT FROM pg_indexes WHERE indexname LIKE 'index_advisor_trial%'",
  );
  expect(rows).toEqual([]);
});
