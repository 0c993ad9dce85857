/** How long things on the target may take, and what waits for whom. */
import type pg from "pg";
import type { ApplyRequest } from "../../contract.ts";
import type { Deadline, Session } from "../database.ts";

export interface Context extends Pick<ApplyRequest, "lockTimeoutMs" | "statementTimeoutMs"> {
  readonly session: Session;
  /** Another connection, where the first one broke. */
  readonly open: () => Promise<Session>;
  /** When nothing new is begun. */
  readonly soon: Deadline;
  readonly deadline: Deadline;
}

/** What can't be done, for a reason that is for people. */
export class Impossible extends Error {
  override readonly name = "Impossible";
}

/** For what comes next in this session, in milliseconds; 0 is none. */
export async function limit(
  client: pg.Client,
  { lockMs, statementMs }: { readonly lockMs: number; readonly statementMs: number },
): Promise<void> {
  await client.query(
    `SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
    [`${Math.round(lockMs)}`, `${Math.round(statementMs)}`],
  );
}

/** The same index for who has but a name: where it is, and whether it is of use. */
export interface Existing {
  readonly oid: string;
  /** Quoted, with its schema. */
  readonly name: string;
  readonly isIndex: boolean;
  readonly valid: boolean;
  /** Held by a constraint, a foreign key, a replica identity. */
  readonly held: boolean;
  /** Server process that builds it at this moment. */
  readonly builder: number | null;
}

/** @param name `schema.name`, not quoted, as a whole: dots may be part of either */
export async function find(client: pg.Client, name: string): Promise<Existing | undefined> {
  const { rows } = await client.query<Existing>(
    `SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, i.indexrelid IS NOT NULL AS "isIndex",
       coalesce(i.indisvalid AND i.indisready AND i.indislive, false) AS valid,
       coalesce(i.indisreplident, false)
         OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid) AS held,
       (SELECT pid FROM pg_stat_progress_create_index p
        WHERE p.index_relid = c.oid AND p.datname = current_database()
          AND p.command LIKE 'CREATE%') AS builder
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index i ON i.indexrelid = c.oid
     WHERE n.nspname || '.' || c.relname = $1`,
    [name],
  );
  return rows[0];
}
