import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { fetchableUnasked, openEngines } from "../src/index.ts";
import type { Capability, LeaseTemplate } from "../src/types.ts";
import { eventually, ownFolder } from "./helpers.ts";

const run = await openEngines();
afterAll(() => run[Symbol.asyncDispose]());
const { chosen } = await run.probe("postgres", ["hypopg"]);
const here = test.runIf(chosen && fetchableUnasked(chosen));
const timeout = chosen?.fetch ? 300_000 : 60_000;

const template: LeaseTemplate = {
  key: "extensions",
  async build(url) {
    await using client = await connected(url);
    // As migrations have it, though they are there.
    await client.query("CREATE EXTENSION IF NOT EXISTS hypopg");
    await client.query("CREATE EXTENSION IF NOT EXISTS pg_cron");
    await client.query("CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL)");
    await client.query("INSERT INTO orders SELECT n, n % 1000 FROM generate_series(1, 20000) AS n");
    await client.query("ANALYZE orders");
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
    await using lease = await run.lease("postgres", { needs: ["hypopg"], template });
    expect(lease.engine.name).toBe("pgextended");
    await using client = await connected(await lease.urlFor("a"));
    const wanted = "SELECT * FROM orders WHERE customer = 7";
    expect(await planOf(client, wanted)).toContain("Seq Scan on orders");
    await client.query("SELECT hypopg_create_index('CREATE INDEX ON orders (customer)')");
    expect(await planOf(client, wanted)).toMatch(/Scan .*<\d+>btree_orders_customer/);
    // Executed, a plan has only what is there.
    expect(await planOf(client, `(ANALYZE) ${wanted}`)).toContain("Seq Scan on orders");
    await client.query("SELECT hypopg_reset()");
    expect(await planOf(client, wanted)).toContain("Seq Scan on orders");
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

test("a plain PostgreSQL has none of it, and loads none of it", async () => {
  await using plain = await run.lease("postgres");
  expect(plain.engine.capabilities).not.toContain("cron");
  await using client = await connected(plain.adminUrl);
  const { rows } = await client.query("SHOW shared_preload_libraries");
  expect(rows).toEqual([{ shared_preload_libraries: "pg_stat_statements" }]);
});

test("the system's own server is taken if it has all three, and nothing is fetched then", async () => {
  await using system = await ownFolder();
  const at = (path: string) => join(system.path, "usr", path);
  const libraries = ["hypopg.so", "pg_cron.so", "wal2json.so"];
  const files = ["bin/postgres", "bin/initdb", ...libraries.map((name) => `lib/${name}`)];
  const controls = ["hypopg", "pg_cron"].map((name) => `${name}.control`);
  for (const path of [
    ...files.map((file) => `lib/postgresql/17/${file}`),
    ...controls.map((file) => `share/postgresql/17/extension/${file}`),
  ]) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), "#!/bin/sh\necho 'postgres (PostgreSQL) 17.6 (Debian)'\n", {
      mode: 0o755,
    });
  }
  const postgres = at("lib/postgresql/17/bin/postgres");
  const env = { ...process.env, KATA_ENGINES: "process", KATA_PGEXTENDED: postgres };
  const offered = async () => {
    await using other = await openEngines({ env });
    return (await other.probe("pgextended")).offers.find(({ provider }) => provider === "process");
  };
  expect(await offered()).toMatchObject({ offered: true, version: "17.6" });
  rmSync(at("lib/postgresql/17/lib/wal2json.so"));
  expect(await offered()).toMatchObject({
    offered: false,
    reason: `KATA_PGEXTENDED=${postgres} is not postgres with HypoPG, pg_cron and wal2json`,
  });
});
