/** Drops that leave an index either gone or as it was, and queue for no lock that would stop readers. */
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { ApplyRequest } from "../../contract.ts";
import { existing, type IndexBuild } from "./builds.ts";
import type { Connection } from "./connections.ts";
import { qualified } from "./sql.ts";

const POLL_MS = 50;
/** The least time that removing a left-over is given, in milliseconds. */
const AT_LEAST_MS = 1_000;

const leftUntil = (until: number): number => Math.max(AT_LEAST_MS, until - performance.now());

interface Droppable {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly tableOid: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly needed: string | null;
  readonly valid: boolean;
  readonly beingBuilt: boolean;
}

/** @throws Error that says why it is still there */
export async function dropped(
  target: Connection,
  fullName: string,
  { lockTimeoutMs }: ApplyRequest,
  until: number,
): Promise<void> {
  const patient = performance.now() + lockTimeoutMs;
  for (;;) {
    const index = await found(target, fullName);
    if (!index) return;
    if (index.needed) throw new Error(`It was not dropped: ${index.needed} needs it.`);
    if (index.beingBuilt) throw new Error("Somebody is building it at this moment.");
    // A concurrent drop that has begun can't be taken back, and waits for all who use the table.
    if (!(await inUse(target, index.tableOid))) {
      await concurrently(target, index, leftUntil(until));
      return;
    }
    if (performance.now() >= patient) {
      throw new Error(
        `It was not dropped: after ${lockTimeoutMs} ms a transaction was still using its table. Try again when that has ended.`,
      );
    }
    await pause(Math.min(POLL_MS, Math.max(1, patient - performance.now())));
  }
}

/** What a failed build has left. Waiting for the table's transactions blocks nobody. */
export async function removed(
  target: Connection,
  build: IndexBuild,
  until: number,
): Promise<boolean> {
  const left = await existing(target, build);
  if (!left?.tableOid || left.valid || left.beingBuilt) return true;
  try {
    await concurrently(target, left, leftUntil(until));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
  }
  return (await existing(target, build)) === undefined;
}

async function concurrently(
  target: Connection,
  index: Pick<Droppable, "schema" | "name">,
  patienceMs: number,
): Promise<void> {
  await target.run("SET lock_timeout = 0");
  await target.run(`SET statement_timeout = ${Math.round(patienceMs)}`);
  await target.run(`DROP INDEX CONCURRENTLY IF EXISTS ${qualified(index.schema, index.name)}`);
}

async function found(target: Connection, fullName: string): Promise<Droppable | undefined> {
  const [index] = await target.rows<Droppable>(
    `SELECT i.indexrelid::text AS oid, n.nspname AS schema, c.relname AS name,
            i.indrelid::text AS "tableOid", tn.nspname AS "tableSchema", t.relname AS table,
            i.indisvalid AS valid,
            CASE WHEN i.indisreplident THEN 'the replica identity'
                 WHEN i.indisprimary THEN 'the primary key'
                 ELSE (SELECT 'the constraint ' || k.conname FROM pg_constraint k
                        WHERE k.conindid = i.indexrelid LIMIT 1) END AS needed,
            EXISTS (SELECT FROM pg_stat_progress_create_index p
                      JOIN pg_locks l ON l.pid = p.pid AND l.relation = i.indrelid
                     WHERE p.datname = current_database() AND NOT i.indisvalid
                       AND coalesce(p.index_relid, 0) IN (0, i.indexrelid)) AS "beingBuilt"
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
      WHERE n.nspname || '.' || c.relname = $1`,
    [fullName],
  );
  return index;
}

/** Whether another transaction holds, or waits for, a lock on the table. */
async function inUse(target: Connection, tableOid: string): Promise<boolean> {
  const [row] = await target.rows<{ used: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_locks l
        WHERE l.relation = $1::oid AND l.pid IS DISTINCT FROM pg_backend_pid()
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS used`,
    [tableOid],
  );
  return row?.used ?? false;
}
