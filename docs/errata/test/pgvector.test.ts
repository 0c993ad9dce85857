/** What pgvector says to section 2.10's table. Needs PostgreSQL with vectors. */
import { fetchableUnasked, openEngines } from "@db-katas/engines";
import pg from "pg";
import { expect, test } from "vitest";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("postgres", ["vector"]);
})();
const there = chosen && fetchableUnasked(chosen);
const options = { timeout: chosen?.fetch ? 300_000 : 60_000 };

/** A table of so many random vectors with their HNSW index, and `tag` from 0 to 99. */
async function openVectors(rows: number, dimensions: number, m = 16) {
  await using opening = new AsyncDisposableStack();
  const run = opening.use(await openEngines());
  const lease = opening.use(await run.lease("postgres", { needs: ["vector"] }));
  const client = new pg.Client(await lease.urlFor("a"));
  await client.connect();
  opening.defer(() => client.end());
  await client.query("SELECT setseed(0.5)");
  await client.query(`CREATE TABLE items (id int PRIMARY KEY, tag int, at vector(${dimensions}))`);
  await client.query(
    `INSERT INTO items SELECT n, n % 100, (
       SELECT array_agg(random() + d * 0) FROM generate_series(1, ${dimensions}) AS d WHERE n >= 0
     )::vector FROM generate_series(0, ${rows - 1}) AS n`,
  );
  await client.query(
    `CREATE INDEX items_at ON items USING hnsw (at vector_l2_ops) WITH (m = ${m})`,
  );
  await client.query("ANALYZE items");
  const opened = opening.move();
  return { client, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test.runIf(there)(
  "an HNSW index over 1536 dimensions takes a page of 8 kB for each vector",
  options,
  async () => {
    const rows = 200;
    await using vectors = await openVectors(rows, 1536);
    const { rows: found } = await vectors.client.query<{ bytes: string }>(
      "SELECT pg_relation_size('items_at') AS bytes",
    );
    expect(Number(found[0]?.bytes) / rows).toBeGreaterThanOrEqual(8_192);
  },
);

test.runIf(there)("one HNSW index has any recall that its reader asks for", options, async () => {
  await using vectors = await openVectors(4_000, 128, 8);
  const { client } = vectors;
  const nearest = async (id: number) => {
    const { rows } = await client.query<{ id: number }>(
      "SELECT id FROM items ORDER BY at <-> (SELECT at FROM items WHERE id = $1) LIMIT 10",
      [id],
    );
    return rows.map((row) => row.id);
  };
  const recall = async (efSearch: number) => {
    let found = 0;
    for (let id = 0; id < 40; id++) {
      await client.query("SET enable_indexscan = off");
      const exact = new Set(await nearest(id));
      await client.query("SET enable_indexscan = on");
      await client.query("SET enable_seqscan = off");
      await client.query(`SET hnsw.ef_search = ${efSearch}`);
      found += (await nearest(id)).filter((each) => exact.has(each)).length;
      await client.query("SET enable_seqscan = on");
    }
    return found / 400;
  };
  const [low, high] = [await recall(10), await recall(1_000)];
  // The table's best and worst row are 0.94 and 0.82.
  expect(low).toBeLessThan(0.82);
  expect(high).toBeGreaterThan(0.94);
});

test.runIf(there)(
  "a filter after the index leaves fewer rows than were asked for",
  options,
  async () => {
    await using vectors = await openVectors(5_000, 16);
    const { client } = vectors;
    await client.query("SET enable_seqscan = off");
    await client.query("SET enable_sort = off");
    const query = `SELECT id FROM items WHERE tag = 7
    ORDER BY at <-> (SELECT at FROM items WHERE id = 1) LIMIT 10`;
    expect((await client.query(query)).rowCount).toBeLessThan(10);
    await client.query("SET hnsw.iterative_scan = strict_order");
    expect((await client.query(query)).rowCount).toBe(10);
  },
);
