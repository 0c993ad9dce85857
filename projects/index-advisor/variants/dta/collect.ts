/** Task 1. What this database was asked, from pg_stat_statements. */
import { parse } from "libpg-query";
import type { CollectRequest, Workload } from "../../contract.ts";
import { type Connection, ident, MARK, refusalCode } from "./databases.ts";
import { AdvisorError, messageOf } from "./errors.ts";

const MEASURES = {
  "total-time": "sum(s.total_exec_time)",
  calls: "sum(s.calls)",
  blocks: "sum(s.shared_blks_hit + s.shared_blks_read)",
} as const satisfies Record<CollectRequest["by"], string>;

const HIDDEN = "<insufficient privilege>";

/** The library is not in shared_preload_libraries: object_not_in_prerequisite_state. */
const NOT_LOADED = "55000";

export async function collect(target: Connection, request: CollectRequest): Promise<Workload> {
  const [extension] = await target.ask(
    `SELECT n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_stat_statements'`,
  );
  if (extension === undefined) throw missing("it is not installed in this database");
  const schema = ident(String(extension.schema));
  try {
    const rows = await target.ask(
      // The same statement by two users is two rows there. What functions ask is part of what called them.
      `SELECT min(s.query) AS query, sum(s.calls)::float8 AS calls,
              bool_or(s.query = '${HIDDEN}') AS hidden
         FROM ${schema}.pg_stat_statements s
        WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.toplevel
        GROUP BY s.queryid
        ORDER BY ${MEASURES[request.by]} DESC, s.queryid`,
    );
    if (rows.some((row) => row.hidden === true)) {
      throw new AdvisorError(
        "NO_PERMISSION",
        "pg_stat_statements hides what other users asked. Grant the role pg_read_all_stats.",
      );
    }
    const [info] = await target.ask(
      `SELECT dealloc::float8 AS dealloc FROM ${schema}.pg_stat_statements_info`,
    );
    const statements: Workload["statements"][number][] = [];
    for (const row of rows) {
      if (statements.length >= request.limit) break;
      const sql = row.query;
      if (typeof sql !== "string" || sql.includes(MARK) || !(await isOfUse(sql))) continue;
      statements.push({ sql, calls: Number(row.calls) });
    }
    return { statements, forgotten: Number(info?.dealloc ?? 0) };
  } catch (error) {
    if (refusalCode(error) === NOT_LOADED) throw missing(messageOf(error));
    throw error;
  }
}

function missing(why: string): AdvisorError {
  return new AdvisorError(
    "EXTENSION_MISSING",
    `There is no workload to be had from pg_stat_statements: ${why}. CREATE EXTENSION pg_stat_statements, ` +
      "with the library in shared_preload_libraries.",
  );
}

/** The four kinds of statement that an index can help, or hinder. */
async function isOfUse(sql: string): Promise<boolean> {
  try {
    const { stmts } = await parse(sql);
    const stmt = stmts?.[0]?.stmt as Record<string, { intoClause?: unknown }> | undefined;
    if (stmt === undefined || stmts?.length !== 1) return false;
    if (stmt.SelectStmt) return stmt.SelectStmt.intoClause === undefined;
    return "InsertStmt" in stmt || "UpdateStmt" in stmt || "DeleteStmt" in stmt;
  } catch {
    // Normalised texts such as `interval $1` are no statements any more, and were some all the same.
    return /^\s*(?:select|insert|update|delete|with)\b/i.test(
      sql.replace(/^(?:\s*\/\*.*?\*\/)+/s, ""),
    );
  }
}
