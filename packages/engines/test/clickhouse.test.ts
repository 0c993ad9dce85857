import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { ClickHouseLogLevel, createClient } from "@clickhouse/client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunContext } from "../src/context.ts";
import type { Server } from "../src/definition.ts";
import { ClickHouseDatabases } from "../src/definitions/clickhouse/namespaces.ts";
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

/** A server that only listens: what it is asked, and an address with an administrator's credentials. */
async function listener(refusal?: string) {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const statement = await text(request);
    asked.push(statement);
    const refused = refusal !== undefined && statement.startsWith("CREATE USER");
    response.writeHead(refused ? 403 : 200).end(refused ? refusal : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const adminUrl = `http://kata_admin:secret@127.0.0.1:${port}/`;
  const namespaces = new ClickHouseDatabases(
    { adminUrl } as Server,
    { secret: "of the run" } as RunContext,
  );
  return { asked, namespaces, [Symbol.asyncDispose]: async () => void server.close() };
}

describe("a namespace of a server that has users", () => {
  test("is its own users', the submission's and the grader's, who have rights in it alone", async () => {
    await using it = await listener();
    await it.namespaces.create("kata_1");
    const [mine, grader] = [it.namespaces.url("kata_1"), it.namespaces.adminUrl("kata_1")].map(
      (url) => new URL(url),
    ) as [URL, URL];
    expect([mine.username, mine.pathname]).toEqual(["kata_1", "/kata_1"]);
    expect([grader.username, grader.pathname]).toEqual(["kata_1_admin", "/kata_1"]);
    expect(grader.password).not.toBe(mine.password);
    await it.namespaces.drop("kata_1");
    const told = it.asked.map((each) =>
      each.replace(mine.password, "<password>").replace(grader.password, "<the grader's>"),
    );
    expect(told).toMatchInlineSnapshot(`
      [
        "CREATE DATABASE kata_1",
        "CREATE USER IF NOT EXISTS kata_1 IDENTIFIED WITH sha256_password BY '<password>'",
        "GRANT SHOW, SELECT, INSERT, ALTER, TRUNCATE, OPTIMIZE, dictGet, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, DROP TABLE, DROP VIEW, DROP DICTIONARY ON kata_1.* TO kata_1",
        "GRANT CREATE TEMPORARY TABLE ON *.* TO kata_1",
        "CREATE USER IF NOT EXISTS kata_1_admin IDENTIFIED WITH sha256_password BY '<the grader's>'",
        "GRANT SHOW, SELECT, INSERT, ALTER, TRUNCATE, OPTIMIZE, dictGet, CREATE TABLE, CREATE VIEW, CREATE DICTIONARY, DROP TABLE, DROP VIEW, DROP DICTIONARY ON kata_1.* TO kata_1_admin",
        "GRANT CREATE TEMPORARY TABLE ON *.* TO kata_1_admin",
        "DROP DATABASE IF EXISTS kata_1 SYNC",
        "DROP USER IF EXISTS kata_1",
        "DROP USER IF EXISTS kata_1_admin",
      ]
    `);
  });

  test("is the administrator's where users can't be made; that is tried once", async () => {
    await using it = await listener(
      "Code: 497. DB::Exception: Not enough privileges. (ACCESS_DENIED)",
    );
    for (const name of ["kata_1", "kata_2"]) {
      await it.namespaces.create(name);
      expect(it.namespaces.url(name)).toBe(it.namespaces.adminUrl(name));
      await it.namespaces.drop(name);
    }
    expect(it.asked.filter((each) => each.includes("USER"))).toHaveLength(1);
  });

  test("is not to be had where a user should be made, and isn't", async () => {
    await using it = await listener("Code: 241. DB::Exception: (MEMORY_LIMIT_EXCEEDED)");
    await expect(it.namespaces.create("kata_1")).rejects.toThrow("MEMORY_LIMIT_EXCEEDED");
  });
});
