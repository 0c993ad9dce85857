/** What HypoPG says to the index advisor of section 6. Needs PostgreSQL with it. */
import { fetchableUnasked, openEngines } from "@db-katas/engines";
import pg from "pg";
import { expect, test } from "vitest";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("postgres", ["hypopg"]);
})();

test.runIf(chosen && fetchableUnasked(chosen))(
  "an index that HypoPG imagines is no GIN or GiST, and EXPLAIN ANALYZE never uses it",
  { timeout: chosen?.fetch ? 300_000 : 60_000 },
  async () => {
    await using run = await openEngines();
    await using lease = await run.lease("postgres", { needs: ["hypopg"] });
    const client = new pg.Client(await lease.urlFor("a"));
    await client.connect();
    try {
      await client.query("CREATE EXTENSION IF NOT EXISTS hypopg");
      await client.query(
        `CREATE TABLE items AS SELECT n AS id, ARRAY[n] AS tags, point(n, n) AS place
         FROM generate_series(1, 10000) AS n`,
      );
      await client.query("ANALYZE items");
      const imagine = (what: string) =>
        client.query(`SELECT * FROM hypopg_create_index('CREATE INDEX ON items USING ${what}')`);
      for (const what of ["gin (tags)", "gist (place)"]) {
        await expect(imagine(what)).rejects.toThrow(/is not supported/);
      }
      await imagine("btree (id)");
      const plan = async (options: string) => {
        const { rows } = await client.query(`EXPLAIN ${options} SELECT * FROM items WHERE id = 7`);
        return JSON.stringify(rows);
      };
      expect(await plan("")).toContain("Index Scan");
      expect(await plan("(ANALYZE)")).not.toContain("Index Scan");
    } finally {
      await client.end();
    }
  },
);
