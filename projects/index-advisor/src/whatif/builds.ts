/** Real indexes on the copy, built once, and hidden from the planner where they are not wanted. */
import pg from "pg";
import type { ExistingIndex } from "../catalog.ts";
import type { Session } from "../database.ts";
import { createIndexSql } from "../ddl.ts";
import { isConnectionLoss, messageOf, noPermission, sqlState } from "../errors.ts";
import type { Candidate } from "../model.ts";

/** What they are called: nothing else has such a name, so that those left by a crash can be told. */
const PREFIX = "index_advisor_trial_";

export interface Build {
  readonly name: string;
  readonly candidate: Candidate;
  /** `pg_relation_size`. */
  readonly sizeBytes: number;
  /** It was there before. */
  readonly isAdopted?: boolean;
}

/** It can't be built, for a reason that is its own: a row too wide, an operator class that isn't there. */
export class BuildFailed extends Error {
  override readonly name = "BuildFailed";
}

const keys = new WeakMap<Candidate, string>();

/** The same text for the same index. */
export function keyOf(candidate: Candidate): string {
  let key = keys.get(candidate);
  if (key === undefined) {
    key = createIndexSql(candidate.index, "it");
    keys.set(candidate, key);
  }
  return key;
}

/** Live: indexes that are there until `drop`. */
export class Builds {
  readonly #session: Session;
  readonly #limitMs: () => number;
  readonly #built = new Map<string, Promise<Build>>();
  readonly #there = new Map<string, Build>();
  /** By key. What is built again has the same name again: plans that have it are the same. */
  readonly #names = new Map<string, string>();
  readonly #sizes = new Map<string, number>();

  /** @param limitMs the longest that the next build may take, in milliseconds; default: as long as the session lets it */
  constructor(session: Session, limitMs: () => number = () => Number.POSITIVE_INFINITY) {
    this.#session = session;
    this.#limitMs = limitMs;
  }

  /** Drops what an earlier advisor that was ended did not get to drop. */
  async clear(): Promise<void> {
    const { rows } = await this.#session.client.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('i', 'I') AND starts_with(c.relname, $1)`,
      [PREFIX],
    );
    for (const { name } of rows) await this.#session.client.query(`DROP INDEX IF EXISTS ${name}`);
  }

  /** Builds it, unless it is there. @throws BuildFailed */
  build(candidate: Candidate): Promise<Build> {
    const key = keyOf(candidate);
    let build = this.#built.get(key);
    if (build === undefined) {
      build = this.#create(key, candidate);
      this.#built.set(key, build);
    }
    return build;
  }

  /** One of the copy's own, which from now on can be hidden like those that were built. It stays. */
  adopt({ name, spec, sizeBytes }: ExistingIndex): Candidate {
    const candidate = { index: spec, statements: [], hypothetical: false };
    const key = keyOf(candidate);
    const build = { name, candidate, sizeBytes, isAdopted: true };
    this.#names.set(key, name);
    this.#sizes.set(key, sizeBytes);
    this.#there.set(key, build);
    this.#built.set(key, Promise.resolve(build));
    return candidate;
  }

  /** What is there of it. */
  find(candidate: Candidate): Build | undefined {
    return this.#there.get(keyOf(candidate));
  }

  /** In bytes, of what is there, or was. */
  sizeOf(candidate: Candidate): number | undefined {
    return this.#sizes.get(keyOf(candidate));
  }

  get all(): readonly Build[] {
    return [...this.#there.values()];
  }

  /** Keys of all that ever was there, by the names that they have in plans. */
  get names(): ReadonlyMap<string, string> {
    return new Map([...this.#names].map(([key, name]) => [name, key]));
  }

  /** What nobody needs any more would have to be hidden each time. */
  async discard(candidates: readonly Candidate[]): Promise<void> {
    for (const key of new Set(candidates.map(keyOf))) {
      const build = this.#there.get(key);
      if (build) await this.#drop(key, build);
    }
  }

  /**
   * Lets nothing be seen of what was built but `visible`. Dropping within a transaction that is rolled back
   * is the one way that takes no superuser; it locks tables, which is of no matter where nobody else is.
   */
  async among<T>(visible: readonly Candidate[], run: () => Promise<T>): Promise<T> {
    const wanted = new Set(visible.map(keyOf));
    const hidden = [...this.#there].filter(([key]) => !wanted.has(key));
    const { client } = this.#session;
    await client.query("BEGIN");
    try {
      if (hidden.length > 0) {
        await client.query(`DROP INDEX ${hidden.map(([, build]) => qualified(build)).join(", ")}`);
      }
      return await run();
    } finally {
      await client.query("ROLLBACK");
    }
  }

  /** Leaves the copy as it was found. */
  async drop(): Promise<void> {
    for (const [key, build] of this.#there) await this.#drop(key, build);
  }

  async #drop(key: string, build: Build): Promise<void> {
    if (build.isAdopted) return;
    await this.#session.client.query(`DROP INDEX IF EXISTS ${qualified(build)}`);
    this.#there.delete(key);
    this.#built.delete(key);
  }

  async #within(sql: string): Promise<void> {
    const { client } = this.#session;
    const limitMs = this.#limitMs();
    if (!Number.isFinite(limitMs)) {
      await client.query(sql);
      return;
    }
    await client.query("BEGIN");
    try {
      await client.query(`SET LOCAL statement_timeout = ${limitMs}`);
      await client.query(sql);
      await client.query("COMMIT");
    } catch (error) {
      if (!isConnectionLoss(error)) await client.query("ROLLBACK");
      throw error;
    }
  }

  async #create(key: string, candidate: Candidate): Promise<Build> {
    const name = this.#names.get(key) ?? `${PREFIX}${this.#names.size + 1}`;
    this.#names.set(key, name);
    const { client } = this.#session;
    try {
      await this.#within(createIndexSql(candidate.index, name));
      // How its values are distributed is known only once it is there, and then it may turn out to be of use.
      if (hasExpression(candidate)) await client.query(`ANALYZE ${tableOf(candidate)}`);
      const { rows } = await client.query<{ size: string }>(
        "SELECT pg_relation_size($1::regclass) AS size",
        [qualified({ name, candidate })],
      );
      const build = { name, candidate, sizeBytes: Number(rows[0]?.size ?? 0) };
      this.#there.set(key, build);
      this.#sizes.set(key, build.sizeBytes);
      return build;
    } catch (error) {
      const state = sqlState(error);
      const { schema, table } = candidate.index;
      if (state === "42501") {
        throw noPermission("scratch", `build an index on ${schema}.${table}`, error);
      }
      // A limit, memory or disk that one build exceeds is its own trouble; others may still fit.
      if (state === undefined || isConnectionLoss(error)) throw error;
      if (state === "57014") throw new BuildFailed("it takes too long", { cause: error });
      throw new BuildFailed(messageOf(error), { cause: error });
    }
  }
}

export function hasExpression({ index }: Candidate): boolean {
  return index.keys.some(({ expression }) => expression !== undefined);
}

function tableOf({ index }: Candidate): string {
  return `${pg.escapeIdentifier(index.schema)}.${pg.escapeIdentifier(index.table)}`;
}

function qualified({ name, candidate }: Pick<Build, "name" | "candidate">): string {
  return `${pg.escapeIdentifier(candidate.index.schema)}.${pg.escapeIdentifier(name)}`;
}
