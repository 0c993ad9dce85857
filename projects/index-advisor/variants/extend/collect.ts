/** Task 1: the workload of a database, as pg_stat_statements has counted it. */
import pg from "pg";
import type { CollectRequest, Statement, Workload } from "../../contract.ts";
import type { Connection } from "./connections.ts";
import { AdvisorError } from "./errors.ts";
import { quoted } from "./sql.ts";

const ORDER: Readonly<Record<CollectRequest["by"], string>> = {
  "total-time": "sum(s.total_exec_time)",
  calls: "sum(s.calls)",
  blocks: "sum(s.shared_blks_hit + s.shared_blks_read + s.local_blks_hit + s.local_blks_read)",
};

/** What an advisor has a use for, behind comments, blanks and parentheses. */
const USEFUL =
  /^(?:\s|\(|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:select|insert|update|delete|with)\b/i;

/** "object_not_in_prerequisite_state": the library isn't in shared_preload_libraries. */
const NOT_LOADED = "55000";

export async function collect(target: Connection, request: CollectRequest): Promise<Workload> {
  const schema = await schemaOfStatements(target);
  const hidden = await asked<{ hidden: boolean }>(
    target,
    `SELECT EXISTS (SELECT FROM ${schema}.pg_stat_statements
       WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND query = '<insufficient privilege>') AS hidden`,
  );
  if (hidden[0]?.hidden) {
    throw new AdvisorError(
      "NO_PERMISSION",
      "The target hides the texts of other users' statements from this role. GRANT pg_read_all_stats to it.",
    );
  }
  // One statement has as many rows as users have run it. Whoever came first has left its comments.
  const all = await asked<{ sql: string; calls: string }>(
    target,
    `SELECT min(s.query) AS sql, sum(s.calls)::text AS calls
       FROM ${schema}.pg_stat_statements s
      WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND s.query NOT LIKE '%/* index-advisor:%'
      GROUP BY s.queryid
      ORDER BY ${ORDER[request.by]} DESC, s.queryid`,
  );
  const [info] = await asked<{ dealloc: string }>(
    target,
    `SELECT dealloc::text AS dealloc FROM ${schema}.pg_stat_statements_info`,
  );
  const statements: Statement[] = all
    .filter(({ sql }) => USEFUL.test(sql))
    .slice(0, Math.max(0, request.limit))
    .map(({ sql, calls }) => ({ sql, calls: Number(calls) }));
  return { statements, forgotten: Number(info?.dealloc ?? 0) };
}

async function schemaOfStatements(target: Connection): Promise<string> {
  const [extension] = await target.rows<{ schema: string }>(
    `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_stat_statements'`,
  );
  if (!extension) {
    throw new AdvisorError(
      "EXTENSION_MISSING",
      "The target has no pg_stat_statements. CREATE EXTENSION pg_stat_statements there.",
    );
  }
  return quoted(extension.schema);
}

async function asked<T extends object>(target: Connection, sql: string): Promise<T[]> {
  try {
    return await target.rows<T>(sql);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === NOT_LOADED) {
      throw new AdvisorError("EXTENSION_MISSING", `The target counts nothing: ${error.message}.`, {
        cause: error,
      });
    }
    throw error;
  }
}
