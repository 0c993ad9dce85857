/**
 * `pnpm --filter @db-katas/index-advisor ranker:collect [seed]`: runs statements without and with indexes
 * that could help or not, and keeps what was planned and what was measured.
 */
import { mkdirSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { openEngines } from "@db-katas/engines";
import { type Random, randomFrom } from "@db-katas/grading";
import pg from "pg";
import { candidatesFor } from "../src/candidates/index.ts";
import { type Catalog, readCatalog } from "../src/catalog.ts";
import { createIndexSql } from "../src/ddl.ts";
import type { Candidate, Query } from "../src/model.ts";
import { parametersOf } from "../src/parameters.ts";
import { understand } from "../src/sql/index.ts";
import { writeData } from "./data.ts";
import { drawCandidates } from "./draw.ts";
import { featurize } from "./featurize.ts";
import { measurePairs, type Wanted } from "./measure-pairs.ts";
import { type Pair, saveCollected } from "./pair.ts";
import { schemas } from "./schemas/index.ts";
import type { Schema } from "./schemas/schema.ts";

/** Each schema is filled that many times: what helps with many rows may not with few. */
const SCALES = [1, 0.15];
/** Statements made of one template at each scale. */
const INSTANCES = 2;
/** Candidates drawn for each statement, beside those that the advisor proposes. */
const DRAWN = 5;

const seed = Number(process.argv[2] ?? 20_261_122);
const random = randomFrom(seed);
await using engines = await openEngines({ onProgress: console.error });
const catalogs: Catalog[] = [];
const pairs: Pair[] = [];
let serverVersion = 0;
for (const schema of schemas) {
  for (const scale of SCALES) {
    await using lease = await engines.lease("pgextended", { needs: ["hypopg"] });
    const client = new pg.Client({ connectionString: lease.adminUrl });
    await client.connect();
    await using _client = { [Symbol.asyncDispose]: () => client.end() };
    await fill(client, schema, scale);
    const catalog = await readCatalog(client);
    serverVersion = catalog.serverVersion;
    const wanted = await wantedOf(schema, catalog, client, random);
    const found = await measurePairs(client, wanted, catalogs.length);
    catalogs.push(catalog);
    pairs.push(...found);
    const helped = found.filter(({ beforeMs, afterMs }) => afterMs <= 0.8 * beforeMs).length;
    console.error(`${schema.name} × ${scale}: ${found.length} pairs, ${helped} of them helped`);
  }
}
mkdirSync(new URL("../.kata/", import.meta.url), { recursive: true });
const collected = { serverVersion, catalogs, pairs };
saveCollected(collected);
writeData(featurize(collected));
console.error(
  `${pairs.length} pairs; seed ${seed}, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
);

async function fill(client: pg.Client, schema: Schema, scale: number): Promise<void> {
  await client.query("CREATE EXTENSION IF NOT EXISTS pg_trgm");
  for (const sql of schema.setup(Math.round(schema.rows * scale))) await client.query(sql);
  await client.query("VACUUM ANALYZE");
}

/** Statements with the candidates that are to be tried on them. */
async function wantedOf(
  schema: Schema,
  catalog: Catalog,
  client: pg.Client,
  random: Random,
): Promise<readonly Wanted[]> {
  const drawn = schema.templates.flatMap(({ id, sql }) =>
    Array.from({ length: INSTANCES }, () => ({ template: id, sql: sql(random) })),
  );
  const { queries, skipped } = await understand(
    drawn.map(({ sql }) => ({ sql, calls: 1 })),
    catalog,
    parametersOf(client, catalog),
  );
  for (const { statement, why } of skipped) console.error(`${drawn[statement]?.sql}: ${why}`);
  return queries.map((query) => {
    const { template = "", sql = "" } = drawn[query.statement] ?? {};
    const proposed = candidatesFor([query], catalog);
    return { template, sql, query, candidates: proposedAndDrawn(query, proposed, sql) };
  });

  function proposedAndDrawn(query: Query, proposed: readonly Candidate[], sql: string) {
    const nameless = (candidate: Candidate) => createIndexSql(candidate.index, "i");
    const known = new Set(proposed.map(nameless));
    const others = drawCandidates(sql, catalog, random, DRAWN).filter(
      (candidate) => !known.has(nameless(candidate)),
    );
    return [
      ...proposed.map((candidate) => ({ candidate, proposed: true })),
      ...others.map((candidate) => ({
        candidate: { ...candidate, statements: [query.statement] },
        proposed: false,
      })),
    ];
  }
}
