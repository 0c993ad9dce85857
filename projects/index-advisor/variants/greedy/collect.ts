import type { CollectRequest, Workload } from "../../contract.ts";
import { connected, literal, MARK, within } from "./connection.ts";
import { AdvisorError } from "./errors.ts";

const ORDER = {
  "total-time": "total_exec_time",
  calls: "calls",
  blocks: "shared_blks_hit + shared_blks_read",
} as const;

/** How many more are asked for than wanted, as some of them are no use. */
const SPARE = 20;

export async function collect(
  url: string,
  request: CollectRequest,
  budgetMs: number,
): Promise<Workload> {
  await using client = await connected("target", url, { statementMs: budgetMs, readOnly: true });
  return await within("target", async () => {
    const { rows: homes } = await client.query<{ schema: string }>(
      `${MARK} SELECT quote_ident(nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_stat_statements'`,
    );
    const schema = homes[0]?.schema;
    if (!schema) {
      throw new AdvisorError(
        "EXTENSION_MISSING",
        "The target has no pg_stat_statements. Load it with shared_preload_libraries, and say CREATE EXTENSION pg_stat_statements.",
      );
    }
    const { rows } = await client.query<{ sql: string; calls: string; hidden: boolean }>(
      `${MARK} SELECT min(query) AS sql, sum(calls)::text AS calls, bool_or(queryid IS NULL) AS hidden
       FROM ${schema}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND strpos(query, ${literal(MARK)}) = 0 AND (queryid IS NULL OR query ~* '^[\\s(]*(/\\*.*?\\*/\\s*|--[^\\n]*\\n\\s*)*(select|insert|update|delete|with)\\y')
       GROUP BY queryid ORDER BY sum(${ORDER[request.by]}) DESC LIMIT $1`,
      [request.limit + SPARE],
    );
    if (rows.some(({ hidden }) => hidden)) {
      throw new AdvisorError(
        "NO_PERMISSION",
        "pg_stat_statements hides what other users ask. GRANT pg_read_all_stats to the advisor's role.",
      );
    }
    const { rows: info } = await client.query<{ forgotten: string }>(
      `${MARK} SELECT dealloc::text AS forgotten FROM ${schema}.pg_stat_statements_info`,
    );
    return {
      statements: rows
        .slice(0, request.limit)
        .map(({ sql, calls }) => ({ sql, calls: Number(calls) })),
      forgotten: Number(info[0]?.forgotten ?? 0),
    };
  });
}
