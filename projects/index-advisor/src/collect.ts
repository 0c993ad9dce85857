/** The target's workload, from pg_stat_statements. */
import { parse } from "libpg-query";
import type pg from "pg";
import type { CollectRequest, Statement, Workload } from "../contract.ts";
import { asked, connect, Deadline } from "./database.ts";
import { extensionMissing, extensionTooOld, noPermission, sqlState } from "./errors.ts";
import { relationsOf } from "./relations.ts";

export interface CallOptions {
  /** The longest that it may take, in milliseconds. Default: a minute. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

export const BUDGET_MS = 60_000;

/** What statements of others look like to who may not read them (contrib/pg_stat_statements). */
const HIDDEN = "<insufficient privilege>";

const orders: Readonly<Record<CollectRequest["by"], string>> = {
  "total-time": "sum(s.total_exec_time)",
  calls: "sum(s.calls)",
  blocks: "sum(s.shared_blks_hit + s.shared_blks_read)",
};

/**
 * What an advisor itself asks is not in it, on whichever node it ran: of a target it reads nothing but the
 * catalogue, and statements that read nothing else, or are no `SELECT`, `INSERT`, `UPDATE` or `DELETE`, are no
 * workload of anybody's.
 *
 * @throws AdvisorError `EXTENSION_MISSING`, `NO_PERMISSION`, `TARGET_UNAVAILABLE`
 */
export async function collect(
  target: string,
  { by, limit }: CollectRequest,
  { budgetMs = BUDGET_MS, signal }: CallOptions = {},
): Promise<Workload> {
  const deadline = new Deadline(budgetMs);
  await using session = await connect("target", target, { deadline, signal, readOnly: true });
  const { client } = session;
  return await asked("target", "show pg_stat_statements", async () => {
    const schema = await schemaOf(client);
    const forgotten = await forgottenOf(client, schema);
    const { rows } = await client.query<{ query: string; calls: string }>(
      // One text may be there once for each user, for each table of that name that was dropped since, and once
      // more for where it ran inside of a function.
      `SELECT s.query, sum(s.calls) AS calls
       FROM ${schema}.pg_stat_statements s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
       WHERE d.datname = current_database()
       GROUP BY s.query ORDER BY ${orders[by]} DESC, s.query`,
    );
    if (rows.some(({ query }) => query === HIDDEN)) {
      throw noPermission("target", "show the statements of other users");
    }
    const systems = await systemRelations(client);
    const statements: Statement[] = [];
    for (const { query, calls } of rows) {
      if (statements.length >= limit) break;
      if (await isWorkload(query, systems)) statements.push({ sql: query, calls: Number(calls) });
    }
    return { statements, forgotten };
  });
}

/** @returns quoted */
async function schemaOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ schema: string }>(
    "SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'",
  );
  const [found] = rows;
  if (found === undefined) throw extensionMissing("this database has no pg_stat_statements");
  return found.schema;
}

/**
 * `dealloc` counts how often room was made, not for how many statements: each time it is a twentieth of them,
 * and ten at least (`entry_dealloc` in contrib/pg_stat_statements/pg_stat_statements.c).
 */
async function forgottenOf(client: pg.Client, schema: string): Promise<number> {
  try {
    const { rows } = await client.query<{ forgotten: string }>(
      `SELECT dealloc * greatest(10, current_setting('pg_stat_statements.max')::int / 20) AS forgotten
       FROM ${schema}.pg_stat_statements_info`,
    );
    return Number(rows[0]?.forgotten ?? 0);
  } catch (error) {
    // 55000: the extension is there, but the library isn't loaded. 42704: nor is its setting.
    const state = sqlState(error);
    // 42P01: no such view; it came with version 1.9, and so did all else that is read.
    if (state === "42P01") throw extensionTooOld(error);
    if (state !== "55000" && state !== "42704") throw error;
    throw extensionMissing("the server has not loaded pg_stat_statements", error);
  }
}

/** The catalogue's, and those of extensions, also with their schema. */
async function systemRelations(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace
     UNION SELECT unnest(ARRAY[c.relname, n.nspname || '.' || c.relname])
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_depend d
       ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'`,
  );
  return new Set(rows.map(({ name }) => name));
}

async function isWorkload(sql: string, systems: ReadonlySet<string>): Promise<boolean> {
  let kinds: readonly string[];
  let tree: unknown;
  try {
    tree = await parse(sql);
    kinds =
      (tree as { stmts?: { stmt?: object }[] }).stmts?.flatMap(({ stmt }) =>
        Object.keys(stmt ?? {}),
      ) ?? [];
  } catch {
    // Normalising has made something of it that is no SQL any more: whoever advises says so.
    return /^\s*(with|select|insert|update|delete)\b/i.test(sql);
  }
  const [kind = ""] = kinds;
  if (!["SelectStmt", "InsertStmt", "UpdateStmt", "DeleteStmt"].includes(kind)) return false;
  return relationsOf(tree).some(
    ({ schema, name }) =>
      schema !== "pg_catalog" &&
      schema !== "information_schema" &&
      !systems.has(schema === undefined ? name : `${schema}.${name}`),
  );
}
