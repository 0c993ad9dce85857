/**
 * What it costs to keep indexes up to date, which EXPLAIN ANALYZE of one rolled-back statement can't tell: an
 * index that is left alone by an update is no work as long as the new row fits beside the old one (a heap-only
 * tuple, PostgreSQL's manual, 73.7), and that is so in the steady state of a table, not in a fresh copy of it
 * whose pages are full.
 *
 * So it is put together from what was measured apart: how long one entry takes, of each index (rows of the
 * table inserted into an empty twin of it, with and without that index), how many rows a statement writes, and
 * the share of heap-only updates that the target's statistics tell.
 */
import pg from "pg";
import { type Catalog, findTable } from "./catalog.ts";
import type { Session } from "./database.ts";
import { createIndexSql } from "./ddl.ts";
import type { Access, AccessMethod, Candidate, IndexSpec, Query } from "./model.ts";
import type { Written } from "./plan.ts";
import { keyOf } from "./whatif/builds.ts";

/** Milliseconds for one entry, where nothing was measured: orders of magnitude. */
const ENTRY_MS: Readonly<Record<AccessMethod, number>> = {
  btree: 0.003,
  hash: 0.003,
  brin: 0.0005,
  gist: 0.015,
  gin: 0.03,
};
/** Heap-only updates as a share of all, of a table that has no statistics about them yet. */
const USUAL_HOT_SHARE = 0.9;
/** So few updates tell nothing about the share. */
const FEW_UPDATES = 200;
/**
 * A row version that isn't heap-only stays until VACUUM has been through all of the table's indexes, and takes
 * up room in each of them: it is paid for again later. A guess.
 */
const AFTERMATH = 2;
/** VACUUM takes the entries of deleted rows out again, many at a time: half of what they cost. A guess, too. */
const REMOVAL = 0.5;
const SAMPLE_ROWS = 2_000;
const SAMPLES = 4;

/** Target's statistics: the share of heap-only updates by `schema.table`, where it had enough updates. */
export async function hotShares(target: pg.Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await target.query<{ name: string; hot: string; all: string }>(
    `SELECT schemaname || '.' || relname AS name, n_tup_hot_upd AS hot, n_tup_upd AS all
     FROM pg_stat_user_tables WHERE n_tup_upd >= $1`,
    [FEW_UPDATES],
  );
  return new Map(rows.map(({ name, hot, all }) => [name, Number(hot) / Number(all)]));
}

export class Upkeep {
  readonly #catalog: Catalog;
  readonly #hotShares: ReadonlyMap<string, number>;
  readonly #entryMs = new Map<string, number>();

  constructor(catalog: Catalog, hot: ReadonlyMap<string, number>) {
    this.#catalog = catalog;
    this.#hotShares = hot;
  }

  /** Measures what one entry takes. @param candidates on written tables; those known already are left out */
  async calibrate(session: Session, candidates: readonly Candidate[]): Promise<void> {
    for (const candidate of candidates) {
      const key = keyOf(candidate);
      if (this.#entryMs.has(key)) continue;
      this.#entryMs.set(key, await entryMs(session, candidate.index));
    }
  }

  /** @param writes of one call @returns milliseconds that `set` adds to it */
  ms(query: Query, set: readonly Candidate[], writes: readonly Written[]): number {
    return writes.reduce((sum, written) => {
      const access = query.accesses.find(
        (each) => each.writes !== undefined && each.table === written.table,
      );
      const whole = { schema: access?.schema, table: written.table, share: 1 };
      const ms = [whole, ...this.#partsOf(access, query)].map(({ schema, table, share }) => {
        // Of a view the planner says which table is behind it, and of two schemas' tables of that name it doesn't.
        const indexes = set.filter(
          ({ index }) => index.table === table && (!schema || index.schema === schema),
        );
        return this.#of({ ...written, rows: written.rows * share }, access, indexes);
      });
      return sum + ms.reduce((all, one) => all + one, 0);
    }, 0);
  }

  /** Partitions that it writes to. How many rows of which, a plan doesn't tell: more to those that have more. */
  #partsOf(access: Access | undefined, { accesses }: Query) {
    if (access === undefined) return [];
    const whole = `${access.schema}.${access.table}`;
    const parts = accesses
      .filter(({ writes, partOf }) => writes !== undefined && partOf === whole)
      .map(({ schema, table }) => {
        return { schema, table, rows: findTable(this.#catalog, table, schema)?.rows ?? 0 };
      });
    const all = parts.reduce((sum, { rows }) => sum + rows, 0);
    return parts.map(({ rows, ...part }) => ({ ...part, share: rows / Math.max(all, 1) }));
  }

  #of({ kind, rows }: Written, access: Access | undefined, indexes: readonly Candidate[]): number {
    const entries = indexes.reduce((sum, candidate) => sum + this.#entry(candidate), 0);
    if (kind === "insert") return rows * entries;
    if (kind === "delete") return rows * entries * REMOVAL;
    return rows * this.#update(indexes, entries, access?.updates ?? access?.writes);
  }

  /** @param columns that are set; `undefined` where nobody knows, so that each may be */
  #update(
    indexes: readonly Candidate[],
    entries: number,
    columns: readonly string[] | undefined,
  ): number {
    const [first] = indexes;
    if (first === undefined) return 0;
    const table = findTable(this.#catalog, first.index.table, first.index.schema);
    const isTouched = (index: IndexSpec) => columns === undefined || touches(index, columns);
    const isHot = !table?.indexes.some(({ spec }) => isTouched(spec));
    const { schema, table: name } = first.index;
    const hot = isHot ? (this.#hotShares.get(`${schema}.${name}`) ?? USUAL_HOT_SHARE) : 0;
    if (!indexes.some(({ index }) => isTouched(index))) return (1 - hot) * entries;
    const others = (table?.indexes ?? []).length * ENTRY_MS.btree;
    return hot * AFTERMATH * (entries + others) + (1 - hot) * entries;
  }

  #entry(candidate: Candidate): number {
    return this.#entryMs.get(keyOf(candidate)) ?? ENTRY_MS[candidate.index.method];
  }
}

/** Whether any of the queries writes to the index's table. */
export function isWritten({ schema, table }: IndexSpec, queries: readonly Query[]): boolean {
  return queries.some(({ accesses }) =>
    accesses.some((a) => a.writes !== undefined && a.schema === schema && a.table === table),
  );
}

/** Whether an update of these columns needs a new entry: keys, carried columns and predicates alike. */
function touches(index: IndexSpec, columns: readonly string[]): boolean {
  const texts = [...index.keys.map((key) => key.expression), index.where].filter(
    (text) => text !== undefined,
  );
  return columns.some(
    (column) =>
      index.include.includes(column) ||
      index.keys.some((key) => key.column === column) ||
      texts.some((text) => mentions(text, column)),
  );
}

function mentions(text: string, column: string): boolean {
  return text.split(/[^\p{L}\p{N}_$]+/u).includes(column);
}

/** Rolled back: the twin is never there for anybody. */
async function entryMs({ client }: Session, index: IndexSpec): Promise<number> {
  const original = `${pg.escapeIdentifier(index.schema)}.${pg.escapeIdentifier(index.table)}`;
  const twin = `${pg.escapeIdentifier(index.schema)}.index_advisor_twin`;
  const fill = `INSERT INTO ${twin} SELECT * FROM index_advisor_rows`;
  const time = async () => {
    await client.query(`TRUNCATE ${twin}`);
    const started = performance.now();
    await client.query(fill);
    return performance.now() - started;
  };
  await client.query("BEGIN");
  try {
    // A real table, not a temporary one: entries of those are not logged, which is part of their cost.
    await client.query(`CREATE TABLE ${twin} (LIKE ${original})`);
    await client.query(
      `CREATE TEMPORARY TABLE index_advisor_rows ON COMMIT DROP AS
       SELECT * FROM ${original} LIMIT ${SAMPLE_ROWS}`,
    );
    const { rowCount } = await client.query("SELECT FROM index_advisor_rows");
    if (!rowCount) return ENTRY_MS[index.method];
    const without: number[] = [];
    const with_: number[] = [];
    await time();
    for (let i = 0; i < SAMPLES; i++) {
      without.push(await time());
      await client.query(
        createIndexSql({ ...index, table: "index_advisor_twin" }, "index_advisor_twin_index"),
      );
      if (index.method === "gin") {
        // Else entries only wait in a list, for somebody else to put them in.
        await client.query(
          `ALTER INDEX ${pg.escapeIdentifier(index.schema)}.index_advisor_twin_index SET (fastupdate = off)`,
        );
      }
      with_.push(await time());
      await client.query(
        `DROP INDEX ${pg.escapeIdentifier(index.schema)}.index_advisor_twin_index`,
      );
    }
    // The quickest of each: whoever else keeps the machine busy only makes it slower.
    const added = (Math.min(...with_) - Math.min(...without)) / rowCount;
    // No entry is for nothing, whatever noise says.
    return Math.max(added, ENTRY_MS[index.method] / 3);
  } catch {
    return ENTRY_MS[index.method];
  } finally {
    await client.query("ROLLBACK");
  }
}
