import pg from "pg";
import { expect, test } from "vitest";
import { fetchableUnasked, openEngines } from "../src/index.ts";
import type { Capability } from "../src/types.ts";
import { fakePostgres, ownFolder } from "./helpers.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("postgres", ["hypertables"]);
})();

test.runIf(chosen && fetchableUnasked(chosen))(
  "hypertables are there for a submission's own role; what the Apache part lacks is refused",
  { timeout: chosen?.fetch ? 300_000 : 60_000 },
  async () => {
    await using run = await openEngines();
    const template = {
      key: "hypertable",
      async build(url: string) {
        const client = new pg.Client(url);
        await client.connect();
        // As migrations have it, though it is there.
        await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
        await client.query("CREATE TABLE latency (at timestamptz NOT NULL, api text, ms float8)");
        await client.query(
          "SELECT create_hypertable('latency', 'at', chunk_time_interval => interval '1 day')",
        );
        await client.query(
          "INSERT INTO latency SELECT '2026-01-01Z'::timestamptz + n * interval '1 hour', 'a', n FROM generate_series(0, 71) AS n",
        );
        await client.end();
      },
    };
    await using lease = await run.lease("postgres", { needs: ["hypertables"], template });
    expect(lease.engine.name).toBe("timescaledb");
    const client = new pg.Client(await lease.urlFor("a"));
    await client.connect();
    const { rows: chunks } = await client.query("SELECT show_chunks('latency')");
    expect(chunks.length).toBeGreaterThanOrEqual(3);
    const { rows } = await client.query(
      "SELECT time_bucket('1 day', at) AS day, last(ms, at) AS last FROM latency GROUP BY day ORDER BY day",
    );
    expect(rows.map(({ last }) => last)).toEqual([23, 47, 71]);
    const aggregate = client.query(
      "CREATE MATERIALIZED VIEW hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS hour, avg(ms) FROM latency GROUP BY hour WITH NO DATA",
    );
    const compressed = aggregate
      .catch(() => {})
      .then(() => client.query("ALTER TABLE latency SET (timescaledb.compress)"));
    if (lease.engine.capabilities.includes("continuousAggregates")) {
      await aggregate;
      await compressed;
    } else {
      await expect(aggregate).rejects.toThrow(/not supported under the current "apache" license/);
      await expect(compressed).rejects.toThrow(/not supported under the current "apache" license/);
    }
    await client.end();
  },
);

test("a server of the system's own can do what its licence permits", async () => {
  await using system = await ownFolder();
  const libraries = ["timescaledb.so", "timescaledb-2.19.3.so"];
  const postgres = fakePostgres(system.path, libraries, ["timescaledb"]);
  const env = { ...process.env, KATA_ENGINES: "process", KATA_TIMESCALEDB: postgres };
  const needs = async (capability: Capability) => {
    await using run = await openEngines({ env });
    return (await run.probe("postgres", [capability])).chosen?.source;
  };
  const source = `KATA_TIMESCALEDB (${postgres})`;
  expect(await needs("hypertables")).toBe(source);
  expect(await needs("continuousAggregates")).toBeUndefined();
  fakePostgres(system.path, [...libraries, "timescaledb-tsl-2.19.3.so"], []);
  expect(await needs("continuousAggregates")).toBe(source);
});
