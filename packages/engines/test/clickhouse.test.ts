import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EngineRun, fetchableUnasked, openEngines } from "../src/index.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("clickhouse");
})();

describe.runIf(chosen && fetchableUnasked(chosen))("ClickHouse", () => {
  let run: EngineRun;
  beforeAll(async () => {
    run = await openEngines();
  });
  afterAll(() => run[Symbol.asyncDispose]());

  const connect = (url: string) => {
    const client = createClient({ url, log: { level: ClickHouseLogLevel.OFF } });
    return {
      client,
      do: (query: string) => client.command({ query }),
      rows: async (query: string, query_params = {}) =>
        (await client.query({ query, query_params, format: "JSONEachRow" })).json(),
      [Symbol.asyncDispose]: () => client.close(),
    };
  };

  test("a clone has what its template has, and its own of each", async () => {
    const template = {
      key: "everything",
      async build(url: string) {
        await using db = connect(url);
        await db.do("CREATE TABLE events (day Date, n UInt32) ENGINE MergeTree ORDER BY day");
        await db.do("CREATE TABLE notes (text String) ENGINE Memory");
        // By name, the first of these would be made before what it reads.
        await db.do("CREATE VIEW twice AS SELECT n * 2 AS n FROM events");
        await db.do("CREATE VIEW also_twice AS SELECT n FROM twice");
        await db.do(
          "CREATE MATERIALIZED VIEW days ENGINE SummingMergeTree ORDER BY day AS SELECT day, n FROM events",
        );
        await db.do("INSERT INTO events VALUES ('2026-01-01', 1), ('2026-01-01', 2)");
        await db.do("INSERT INTO notes VALUES ('one')");
      },
    };
    await using first = await run.lease("clickhouse", { template });
    await using second = await run.lease("clickhouse", { template });
    await using a = connect(await first.urlFor("a"));
    await using b = connect(await second.urlFor("a"));
    await a.do("INSERT INTO events VALUES ('2026-01-01', 4)");
    expect(await a.rows("SELECT sum(n) AS n FROM also_twice")).toEqual([{ n: 14 }]);
    expect(await a.rows("SELECT day, sum(n) AS n FROM days GROUP BY day")).toEqual([
      { day: "2026-01-01", n: 7 },
    ]);
    expect(await b.rows("SELECT sum(n) AS n FROM days")).toEqual([{ n: 3 }]);
    expect(await b.rows("SELECT * FROM notes")).toEqual([{ text: "one" }]);
  });

  test("what the official client sends is understood", async () => {
    await using lease = await run.lease("clickhouse");
    await using db = connect(await lease.urlFor("a"));
    await db.do("CREATE TABLE t (k String, v Array(String)) ENGINE MergeTree ORDER BY k");
    const awkward = { k: `;\n'"\\\t{x}`, v: ["FORMAT", ";"] };
    await db.client.insert({ table: "t", values: [awkward], format: "JSONEachRow" });
    await db.client.insert({ table: "t", values: [["b", []]], format: "JSONCompactEachRow" });
    const squeezed = createClient({ url: await lease.urlFor("a"), compression: { request: true } });
    await squeezed.insert({ table: "t", values: [{ k: "c", v: [] }], format: "JSONEachRow" });
    expect(await db.rows("SELECT count() AS n FROM t")).toEqual([{ n: 3 }]);
    expect(await db.rows("SELECT * FROM t WHERE k = {k: String}", { k: awkward.k })).toEqual([
      awkward,
    ]);
    // Settings are of one request.
    const getting = {
      query: "SELECT getSetting('max_threads') AS n",
      format: "JSONEachRow",
    } as const;
    const one = await db.client.query({ ...getting, clickhouse_settings: { max_threads: 1 } });
    expect(await one.json()).toEqual([{ n: 1 }]);
    expect(await (await squeezed.query(getting)).json()).not.toEqual([{ n: 1 }]);
    await squeezed.close();
    await expect(db.rows("SELECT nosuch()")).rejects.toMatchObject({
      code: "46",
      type: "UNKNOWN_FUNCTION",
    });
    // Comes to its end.
    await db.do("DROP TABLE t SYNC");
  });
});
