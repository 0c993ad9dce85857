/** One concurrent build, and what there is under its name before and after. */
import { parse } from "libpg-query";
import pg from "pg";
import type { ApplyRequest } from "../../contract.ts";
import type { Connection, Deadline } from "./connections.ts";
import { removed } from "./drops.ts";

export interface IndexBuild {
  readonly name: string;
  readonly sql: string;
  /** As written; without one the search path decides. */
  readonly schema: string | undefined;
  readonly table: string;
}

export async function parsedBuild(name: string, sql: string): Promise<IndexBuild> {
  const { stmts = [] } = await parse(sql);
  const node = stmts[0]?.stmt;
  if (stmts.length !== 1 || !node || !("IndexStmt" in node)) {
    throw new Error("This is no CREATE INDEX, or more than that, so it was not run.");
  }
  const { idxname, relation, concurrent } = node.IndexStmt;
  if (idxname !== name || !relation?.relname) {
    throw new Error(`It makes an index named ${idxname ?? "by the server"}, not ${name}.`);
  }
  if (!concurrent) {
    throw new Error("Without CONCURRENTLY it would stop all writers for as long as it builds.");
  }
  return { name, sql, schema: relation.schemaname, table: relation.relname };
}

export interface Existing {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly tableOid: string | null;
  readonly valid: boolean;
  readonly onTable: boolean;
  /** By another session, at this moment. */
  readonly beingBuilt: boolean;
}

/** What has the name of the index that a build would make: names are the schema's of the table. */
export async function existing(
  target: Connection,
  { name, schema, table }: IndexBuild,
): Promise<Existing | undefined> {
  const [found] = await target.rows<Existing>(
    `WITH owner AS (
       SELECT t.oid, t.relnamespace FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE t.relname = $2 AND CASE WHEN $3::text IS NULL THEN pg_table_is_visible(t.oid)
                                      ELSE n.nspname = $3 END)
     SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, i.indrelid::text AS "tableOid",
            coalesce(i.indisvalid AND i.indisready AND i.indislive, false) AS valid,
            coalesce(i.indrelid = owner.oid, false) AS "onTable",
            EXISTS (SELECT FROM pg_stat_progress_create_index p
                      JOIN pg_locks l ON l.pid = p.pid AND l.relation = i.indrelid
                     WHERE p.pid <> pg_backend_pid()
                       AND p.datname = current_database()
                       AND coalesce(p.index_relid, 0) IN (0, i.indexrelid)) AS "beingBuilt"
       FROM owner JOIN pg_class c ON c.relnamespace = owner.relnamespace AND c.relname = $1
       JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index i ON i.indexrelid = c.oid`,
    [name, table, schema ?? null],
  );
  return found;
}

/** Of the call's time: then no build is begun; and so much of what is left one may take. */
const LAST_BUILD = 0.8;
const BUILD_SHARE = 0.7;

export interface Outcome {
  readonly why?: string;
  /** Whether something invalid may have stayed, to be removed once the table's transactions have ended. */
  readonly leftOver?: boolean;
}

export class Built {
  readonly #target: Connection;
  readonly #build: IndexBuild;
  readonly #limits: ApplyRequest;
  readonly #until: number;
  readonly #deadline: Deadline;

  constructor(
    target: Connection,
    build: IndexBuild,
    limits: ApplyRequest,
    until: number,
    deadline: Deadline,
  ) {
    this.#target = target;
    this.#build = build;
    this.#limits = limits;
    this.#until = until;
    this.#deadline = deadline;
  }

  async made(): Promise<Outcome> {
    const before = await existing(this.#target, this.#build);
    if (before?.tableOid && !before.onTable)
      return { why: "An index of another table has its name." };
    if (before && !before.tableOid) return { why: "Something else in its schema has its name." };
    if (before?.valid) return {};
    if (this.#deadline.past(LAST_BUILD)) return { why: "There was no time left in this call." };
    if (before?.beingBuilt) return { why: "Somebody else is building it at this moment." };
    if (before) {
      const gone = await removed(this.#target, this.#build, this.#until);
      if (!gone) {
        return {
          why: "An invalid index has its name, and open transactions keep it.",
          leftOver: true,
        };
      }
    }
    try {
      // A build that outlasted the call would be left to itself, and what it leaves to nobody.
      const statementMs = Math.min(
        this.#limits.statementTimeoutMs,
        this.#deadline.leftMs * BUILD_SHARE,
      );
      await this.#limited(this.#limits.lockTimeoutMs, statementMs);
      await this.#target.run(this.#build.sql);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error;
      const left = await existing(this.#target, this.#build);
      if (!left || left.valid) throw error;
      return { why: error.message, leftOver: true };
    }
    const after = await existing(this.#target, this.#build);
    return after?.valid ? {} : { why: "The build ended, and left no valid index.", leftOver: true };
  }

  async #limited(lockMs: number, statementMs: number): Promise<void> {
    await this.#target.run(`SET lock_timeout = ${Math.max(1, Math.round(lockMs))}`);
    await this.#target.run(`SET statement_timeout = ${Math.max(1, Math.round(statementMs))}`);
  }
}
