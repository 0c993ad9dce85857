import { rmSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { fetchableUnasked, openEngines } from "../src/index.ts";
import type { Capability, LeaseTemplate } from "../src/types.ts";
import { eventually, fakePostgres, ownFolder } from "./helpers.ts";

const run = await openEngines();
afterAll(() => run[Symbol.asyncDispose]());
const { chosen } = await run.probe("postgres", ["hypopg"]);
const here = test.runIf(chosen && fetchableUnasked(chosen));
const timeout = chosen?.fetch ? 300_000 : 60_000;

const plain: LeaseTemplate = {
  key: "orders",
  async build(url) {
    await using client = await connected(url);
    // As migrations have it, though it is there.
    await client.query("CREATE EXTENSION IF NOT EXISTS hypopg");
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL)");
    await client.query("INSERT INTO orders SELECT n, n % 1000 FROM generate_series(1, 20000) AS n");
    await client.query("ANALYZE orders");
  },
};

const template: LeaseTemplate = {
  key: "orders and ticks",
  async build(url) {
    await plain.build(url);
    await using client = await connected(url);
    await client.query("CREATE EXTENSION IF NOT EXISTS pg_cron");
    await client.query("CREATE TABLE ticks (who text, place text)");
    await client.query(
      "SELECT cron.schedule('tick', '* * * * *', 'INSERT INTO ticks SELECT current_user, current_database()')",
    );
  },
};

async function connected(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url);
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

async function planOf(client: pg.Client, query: string): Promise<string> {
  const { rows } = await client.query<{ "QUERY PLAN": string }>(`EXPLAIN ${query}`);
  return rows.map((row) => row["QUERY PLAN"]).join("\n");
}

here(
  "an index that does not exist changes what EXPLAIN says, and nothing else",
  { timeout },
  async () => {
    await using lease = await run.lease("postgres", { needs: ["hypopg"], template: plain });
    expect(lease.engine.name).toBe("pgextended");
    await using client = await connected(await lease.urlFor("a"));
    const wanted = "SELECT * FROM orders WHERE customer = 7";
    expect(await planOf(client, wanted)).toContain("Seq Scan on orders");
    await client.query("SELECT hypopg_create_index('CREATE INDEX ON orders (customer)')");
    expect(await planOf(client, wanted)).toMatch(/Scan .*<\d+>btree_orders_customer/);
    const { rows: listed } = await client.query("SELECT table_name FROM hypopg_list_indexes");
    expect(listed).toEqual([{ table_name: "orders" }]);
    // Executed, a plan has only what is there.
    expect(await planOf(client, `(ANALYZE) ${wanted}`)).toContain("Seq Scan on orders");
    await client.query("SELECT hypopg_reset()");
    expect(await planOf(client, wanted)).toContain("Seq Scan on orders");
  },
);

here(
  "what-if indexes take no server of one's own, and are nobody else's",
  { timeout },
  async () => {
    const request = { needs: ["hypopg"] as const satisfies Capability[], template: plain };
    await using first = await run.lease("postgres", request);
    await using second = await run.lease("postgres", request);
    const serverOf = ({ adminUrl }: { adminUrl: string }) => new URL(adminUrl).host;
    expect(serverOf(second)).toBe(serverOf(first));
    expect(first.engine.capabilities).not.toContain("cron");
    expect(first.engine.capabilities).not.toContain("wal2json");
    await using client = await connected(await first.urlFor("a"));
    await using other = await connected(await second.urlFor("a"));
    await client.query("SELECT hypopg_create_index('CREATE INDEX ON orders (customer)')");
    const { rows } = await other.query("SELECT * FROM hypopg_list_indexes");
    expect(rows).toEqual([]);
    await expect(client.query("SELECT pg_create_physical_replication_slot('s')")).rejects.toThrow(
      /permission denied|must be superuser or replication role/,
    );
  },
);

here(
  "changes are decoded by wal2json and by pgoutput, for a submission's own role",
  { timeout },
  async () => {
    await using lease = await run.lease("postgres", { needs: ["wal2json"], template });
    await using client = await connected(await lease.urlFor("a"));
    for (const plugin of ["wal2json", "pgoutput"])
      await client.query("SELECT pg_create_logical_replication_slot($1 || '_slot', $1)", [plugin]);
    await client.query("INSERT INTO orders VALUES (20001, 7)");
    const { rows } = await client.query<{ data: string }>(
      "SELECT data FROM pg_logical_slot_get_changes('wal2json_slot', NULL, NULL, 'format-version', '2')",
    );
    const changes = rows.map(({ data }) => JSON.parse(data));
    expect(changes).toContainEqual({
      action: "I",
      schema: "public",
      table: "orders",
      columns: [
        { name: "id", type: "integer", value: 20001 },
        { name: "customer", type: "integer", value: 7 },
      ],
    });
  },
);

here(
  "what is told of statements, and the means to reset it, go with a server",
  { timeout },
  async () => {
    await using lease = await run.lease("pgextended", { isolation: "instance", template: plain });
    await using client = await connected(await lease.urlFor("a"));
    await client.query("SELECT pg_stat_statements_reset()");
    await client.query("SELECT * FROM orders WHERE customer = 7");
    const { rows } = await client.query(
      "SELECT calls, rows FROM pg_stat_statements WHERE query LIKE 'SELECT * FROM orders%'",
    );
    expect(rows).toEqual([{ calls: "1", rows: "20" }]);
  },
);

here(
  "a job that a migration has scheduled runs within a minute, in each lease, as the submission's own role",
  { timeout: timeout + 90_000 },
  async () => {
    const request = { needs: ["cron"] as const satisfies Capability[], template };
    await using first = await run.lease("postgres", request);
    await using second = await run.lease("postgres", request);
    for (const lease of [first, second]) {
      await using client = await connected(await lease.urlFor("a"));
      const ran = await eventually(
        async () => (await client.query("SELECT * FROM ticks")).rows,
        (rows) => rows.length > 0,
        // The granularity of pg_cron's first versions; a busy machine may take longer.
        80_000,
      );
      const { rows } = await client.query(
        "SELECT current_user AS who, current_database() AS place",
      );
      expect(ran[0]).toEqual(rows[0]);
    }
  },
);

const both = (await run.probe("postgres", ["vector", "hypopg"])).chosen;

test.runIf(both && fetchableUnasked(both))(
  "vectors and what-if indexes are to be had in one server",
  { timeout },
  async () => {
    await using lease = await run.lease("postgres", { needs: ["vector", "hypopg"] });
    await using client = await connected(await lease.urlFor("a"));
    const { rows } = await client.query("SELECT '[3,4]'::vector <-> '[0,0]' AS far");
    expect(rows).toEqual([{ far: 5 }]);
    await client.query("SELECT hypopg_list_indexes FROM hypopg_list_indexes");
  },
);

test("a plain PostgreSQL has none of it, and loads none of it", async () => {
  await using lease = await run.lease("postgres");
  expect(lease.engine.capabilities).not.toContain("cron");
  await using client = await connected(lease.adminUrl);
  const { rows } = await client.query("SHOW shared_preload_libraries");
  expect(rows).toEqual([{ shared_preload_libraries: "pg_stat_statements" }]);
});

test("the system's own server is taken if it has all three, and nothing is fetched then", async () => {
  await using system = await ownFolder();
  const libraries = ["hypopg.so", "pg_cron.so", "wal2json.so"];
  const postgres = fakePostgres(system.path, libraries, ["hypopg", "pg_cron", "vector"]);
  const env = { ...process.env, KATA_ENGINES: "process", KATA_PGEXTENDED: postgres };
  const offered = async () => {
    await using other = await openEngines({ env });
    return (await other.probe("pgextended")).offers.find(({ provider }) => provider === "process");
  };
  const source = `KATA_PGEXTENDED (${postgres})`;
  expect(await offered()).toMatchObject({
    version: "17.6",
    source,
    capabilities: expect.arrayContaining(["hypopg", "cron", "wal2json", "vector"]),
  });
  rmSync(join(system.path, "usr/share/postgresql/17/extension/vector.control"));
  expect(await offered()).toMatchObject({
    source,
    capabilities: expect.not.arrayContaining(["vector"]),
  });
  rmSync(join(system.path, "usr/lib/postgresql/17/lib/wal2json.so"));
  expect(await offered()).toMatchObject({
    offered: false,
    reason: `KATA_PGEXTENDED=${postgres} is not postgres with HypoPG, pg_cron and wal2json`,
  });
});

test("what-if indexes together with vectors are asked of the same server", async () => {
  const env = { ...process.env, KATA_ENGINES: "external" };
  await using other = await openEngines({ env });
  for (const needs of [
    ["vector", "hypopg"],
    ["hypopg", "vector"],
  ] satisfies Capability[][])
    expect((await other.probe("postgres", needs)).offers[0]).toMatchObject({
      reason: "PostgreSQL with HypoPG, pg_cron and wal2json can't be used by a URL of yours",
    });
});
