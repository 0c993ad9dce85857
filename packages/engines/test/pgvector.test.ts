import pg from "pg";
import { expect, test } from "vitest";
import { fetchableUnasked, openEngines } from "../src/index.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("pgvector");
})();

test.runIf(chosen && fetchableUnasked(chosen))(
  "a request for PostgreSQL that needs vectors gets a server that has them, for a submission's own role",
  { timeout: chosen?.fetch ? 300_000 : 30_000 },
  async () => {
    await using run = await openEngines();
    const template = {
      key: "vectors",
      async build(url: string) {
        const client = new pg.Client(url);
        await client.connect();
        // As migrations have it, though it is there.
        await client.query("CREATE EXTENSION IF NOT EXISTS vector");
        await client.query("CREATE TABLE items (id int PRIMARY KEY, at vector(2))");
        await client.query("CREATE INDEX ON items USING hnsw (at vector_cosine_ops)");
        await client.query(
          "INSERT INTO items SELECT n, ARRAY[cos(n / 100.0), sin(n / 100.0)]::vector FROM generate_series(0, 99) AS n",
        );
        await client.end();
      },
    };
    await using lease = await run.lease("postgres", { needs: ["vector"], template });
    expect(lease.engine.name).toBe("pgvector");
    const client = new pg.Client(await lease.urlFor("a"));
    await client.connect();
    await client.query("SET enable_seqscan = off");
    const nearest = "SELECT id FROM items ORDER BY at <=> '[1,0.301]' LIMIT 3";
    const { rows } = await client.query(nearest);
    expect(rows.map(({ id }) => id)).toEqual([29, 30, 28]);
    const { rows: plan } = await client.query(`EXPLAIN ${nearest}`);
    expect(JSON.stringify(plan)).toContain("Index Scan using items_at_idx");
    await client.end();
    await using plain = await run.lease("postgres");
    expect(plain.engine.capabilities).not.toContain("vector");
  },
);
