/** How long things on the target may take, and what waits for whom. */
import type pg from "pg";
import type { ApplyRequest } from "../../contract.ts";
import { BUILDERS } from "../builders.ts";
import type { Deadline, Session } from "../database.ts";
import { sqlState } from "../errors.ts";
import type { Interruption } from "./interruption.ts";

export interface Context extends Pick<ApplyRequest, "lockTimeoutMs" | "statementTimeoutMs"> {
  readonly session: Session;
  /** Another connection, where the first one broke. */
  readonly open: () => Promise<Session>;
  /** When nothing new is begun. */
  readonly soon: Deadline;
  readonly interruption: Interruption;
}

/** What can't be done, for a reason that is for people. */
export class Impossible extends Error {
  override readonly name = "Impossible";
}

/** @throws Impossible once nothing new is to be begun */
export function check({ soon, interruption }: Context): void {
  interruption.check();
  if (soon.over) throw new Impossible("Not begun: the time of this call is over. Call again.");
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

/** For what puts things right: as long as the call lasts, with whatever limit the statement before was stopped. */
export async function relax(client: pg.Client, deadline: Deadline): Promise<void> {
  for (;;) {
    try {
      await limit(client, { lockMs: 0, statementMs: deadline.share(0.8) });
      return;
    } catch (error) {
      // The old limit holds for the statement that sets the new one, too.
      if (sqlState(error) !== "57014" || deadline.over) throw error;
    }
  }
}

/** The same index for who has but a name: where it is, and whether it is of use. */
export interface Existing {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly isIndex: boolean;
  /** Of a partitioned table: it has no rows of its own, and can't be dropped concurrently. */
  readonly partitioned: boolean;
  readonly valid: boolean;
  /** Held by a constraint, a foreign key, a replica identity, or as a part of a partitioned one. */
  readonly held: boolean;
  /** Server process that could be building it at this moment. */
  readonly builder: number | null;
}

/**
 * @param name with its schema, not quoted: dots may be part of either
 * @param schema where it is known, and `name` is without it
 * @throws Impossible where several have that name
 */
export async function find(
  client: pg.Client,
  name: string,
  schema?: string,
): Promise<Existing | undefined> {
  const { rows } = await client.query<Existing>(
    `WITH ${BUILDERS}
     SELECT format('%I.%I', n.nspname, c.relname) AS name, i.indexrelid IS NOT NULL AS "isIndex",
       c.relkind = 'I' AS partitioned,
       coalesce(i.indisvalid AND i.indisready AND i.indislive, false) AS valid,
       coalesce(i.indisreplident, false)
         OR EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
         OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid) AS held,
       (SELECT b.pid FROM builders b WHERE b.relation = i.indrelid) AS builder
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index i ON i.indexrelid = c.oid
     WHERE CASE WHEN $2::text IS NULL THEN n.nspname || '.' || c.relname = $1
       ELSE n.nspname = $2 AND c.relname = $1 END`,
    [name, schema ?? null],
  );
  if (rows.length > 1) {
    throw new Impossible(
      `${name} can be read as ${rows.map((row) => row.name).join(" or ")}. Nothing was done; say to the server which of them is meant.`,
    );
  }
  return rows[0];
}
