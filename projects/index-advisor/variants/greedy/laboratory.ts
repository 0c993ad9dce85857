/** Sets of indexes, tried on the copy: all are built, and those that a set hasn't are hidden. */
import type { Candidate } from "./candidates.ts";
import { type Catalog, type ExistingIndex, KEYS } from "./catalog.ts";
import { type Connection, MARK, quoted } from "./connection.ts";
import { isStatements, stateOf } from "./errors.ts";
import type { Understood } from "./statements.ts";
import type { Instance } from "./values.ts";

export interface Query extends Understood {
  /** Position in the request. */
  readonly statement: number;
  readonly calls: number;
  readonly instances: readonly Instance[];
  /** Tables whose indexes it may use, those of foreign keys that it sets off included. */
  readonly touches: ReadonlySet<number>;
}

export interface Built {
  readonly candidate: Candidate;
  readonly sizeBytes: number;
}

/** Of one statement with one set. */
export interface Outcome {
  /** Milliseconds per call, as measured. */
  readonly ms: number;
  /** The same, with what an index costs a single write, which is too little to be measured once. */
  readonly decisiveMs: number;
  /** Indexes in its plans. */
  readonly uses: ReadonlySet<string>;
}

const RUNS = 3;
const SLOW_MS = 400;
const TELLING_MS = 0.2;
/** To keep one index in step with one row: an entry, its page's change in the log, later VACUUM's work. */
const ENTRY_MS = 0.02;

export class Laboratory {
  readonly #client: Connection;
  readonly #catalog: Catalog;
  readonly #statementMs: number;
  readonly #times = new Map<string, number>();
  built: Built[] = [];

  constructor(client: Connection, catalog: Catalog, statementMs: number) {
    this.#client = client;
    this.#catalog = catalog;
    this.#statementMs = statementMs;
  }

  /** @returns why not, if it could not be built */
  async build(wanted: Candidate): Promise<string | undefined> {
    const candidate = { ...wanted, name: freeName(wanted, this.#catalog) };
    try {
      await this.#client.query(`CREATE INDEX ${quoted(candidate.name)} ${candidate.rest}`);
    } catch (error) {
      if (!isStatements(error) || stateOf(error) === "42501") throw error;
      return error instanceof Error ? error.message : String(error);
    }
    const path = pathOf(candidate);
    const { rows } = await this.#client.query<Description>(
      `${MARK} SELECT pg_relation_size(c.oid)::text AS bytes, ${KEYS} AS keys,
         regexp_replace(pg_get_indexdef(c.oid), '^CREATE INDEX .*? ON ', 'ON ') AS definition
       FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid WHERE c.oid = $1::regclass`,
      [path],
    );
    const there = this.#catalog.indexes.some((existing) => doesAll(existing, candidate, rows[0]));
    if (there) {
      await this.#client.query(`DROP INDEX ${path}`);
      return "there is one like it";
    }
    this.built.push({ candidate, sizeBytes: Number(rows[0]?.bytes) });
    return undefined;
  }

  /** Of an expression's values the planner knows nothing before its index was looked at. */
  async looked(): Promise<void> {
    const expressions = this.built.filter(({ candidate }) =>
      candidate.keys.some((key) => key.startsWith("(")),
    );
    for (const table of new Set(expressions.map(({ candidate }) => candidate.table))) {
      await this.#client.query(`ANALYZE ${quoted(table.schema)}.${quoted(table.name)}`);
    }
  }

  async removeAll(): Promise<void> {
    const paths = this.built.map(({ candidate }) => pathOf(candidate));
    if (paths.length > 0) await this.#client.query(`DROP INDEX IF EXISTS ${paths.join(", ")}`);
    this.built = [];
  }

  /** @returns by query */
  async tried(queries: readonly Query[], set: readonly Built[]): Promise<Map<Query, Outcome>> {
    const hidden = this.built.filter((each) => !set.includes(each));
    await this.#client.query("BEGIN");
    try {
      if (hidden.length > 0) {
        await this.#client.query(
          `DROP INDEX ${hidden.map(({ candidate }) => pathOf(candidate)).join(", ")}`,
        );
      }
      const outcomes = new Map<Query, Outcome>();
      for (const query of queries) outcomes.set(query, await this.#outcome(query, set));
      return outcomes;
    } finally {
      await this.#client.query("ROLLBACK").catch(() => {});
    }
  }

  async #outcome(query: Query, set: readonly Built[]): Promise<Outcome> {
    let ms = 0;
    const uses = new Set<string>();
    for (const { sql, share } of query.instances) {
      const plan = await this.#rowsOf(`EXPLAIN (FORMAT JSON, COSTS OFF) ${sql}`);
      const text = JSON.stringify(plan);
      for (const { candidate } of set) {
        if (text.includes(JSON.stringify(candidate.name))) uses.add(candidate.name);
      }
      ms += share * (await this.#timedWith(query, sql, text, set));
    }
    return { ms, decisiveMs: ms + writeMs(query, set), uses };
  }

  async #timedWith(query: Query, sql: string, plan: string, set: readonly Built[]) {
    const key = `${sql}\n${plan}`;
    if (query.kind === "select") return this.#timed(sql, key);
    // A plan doesn't tell what triggers do; a difference that is smaller than theirs is noise.
    const first = await this.#timed(sql, key);
    const names = set.map(({ candidate }) => candidate.name).join();
    const ms = names === "" ? first : await this.#timed(sql, `${key}\n${names}`);
    return Math.abs(first - ms) < Math.max(TELLING_MS, first / 4) ? first : ms;
  }

  /** The same plan takes the same time. */
  async #timed(sql: string, key: string): Promise<number> {
    const known = this.#times.get(key);
    if (known !== undefined) return known;
    const runs: number[] = [];
    const cold = await this.#run(sql);
    // What was stopped would be stopped again.
    if (cold >= this.#statementMs) runs.push(cold);
    else {
      do runs.push(await this.#run(sql));
      while (runs.length < RUNS && (runs[0] ?? 0) < SLOW_MS);
    }
    const ms = runs.toSorted((a, b) => a - b)[Math.floor(runs.length / 2)] ?? 0;
    this.#times.set(key, ms);
    return ms;
  }

  async #run(sql: string): Promise<number> {
    await this.#client.query("SAVEPOINT run");
    const began = performance.now();
    try {
      const [row] = await this.#rowsOf(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${sql}`);
      return (row as { "Execution Time": number })["Execution Time"];
    } catch (error) {
      if (stateOf(error) === "57014") return this.#statementMs;
      // A row that is there already, or is still referred to: it was looked for all the same.
      if (stateOf(error).startsWith("23")) return performance.now() - began;
      throw error;
    } finally {
      await this.#client.query("ROLLBACK TO run").catch(() => {});
    }
  }

  async #rowsOf(sql: string): Promise<readonly unknown[]> {
    const { rows } = await this.#client.query<{ "QUERY PLAN": unknown[] }>(sql);
    return rows[0]?.["QUERY PLAN"] ?? [];
  }
}

interface Description {
  readonly bytes: string;
  readonly keys: readonly string[];
  readonly definition: string;
}

/** It is the same, or goes on where the candidate ends. */
function doesAll(existing: ExistingIndex, { method, table, rest }: Candidate, built?: Description) {
  if (!existing.valid || !built) return false;
  if (existing.definition === built.definition) return true;
  const alike = existing.method === method && existing.table === table.oid && method === "btree";
  const whole = existing.where === "" && !rest.includes(" WHERE ");
  return alike && whole && built.keys.every((key, at) => existing.keys[at] === key);
}

/**
 * An update that changes no column of any index is done within the page (HOT: PostgreSQL manual, 73.7);
 * one that does makes an entry in every index of the table.
 */
function writeMs(query: Query, set: readonly Built[]): number {
  if (query.kind === "select" || query.kind === "delete") return 0;
  const own = set.filter(({ candidate }) => candidate.table === query.written);
  const touched = own.some(({ candidate }) =>
    query.sets.some((column) => candidate.rest.includes(quoted(column))),
  );
  if (query.kind === "update" && !touched) return 0;
  // An update that was HOT writes into the indexes that were there before, too: the primary key's at least.
  return (own.length + (query.kind === "update" ? 1 : 0)) * ENTRY_MS;
}

/** Something else may have the name that it would have. */
function freeName({ name, table }: Candidate, { indexes, tables }: Catalog): string {
  const taken = [...indexes, ...tables].filter(({ schema }) => schema === table.schema);
  for (let n = 0, free = name; ; n++, free = `${name.slice(0, -8)}${hex(n)}`) {
    if (!taken.some((other) => other.name === free)) return free;
  }
}

/** As long as the digest in whose place it stands. */
const hex = (n: number) => n.toString(16).padStart(8, "0");

const pathOf = ({ table, name }: Candidate) => `${quoted(table.schema)}.${quoted(name)}`;
