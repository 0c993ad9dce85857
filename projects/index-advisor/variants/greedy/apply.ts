/** Builds and drops on the target, concurrently, and leaves nothing half-done. */
import { setTimeout as wait } from "node:timers/promises";
import { parse } from "libpg-query";
import type { ApplyRequest, ApplyResult } from "../../contract.ts";
import { type Connection, connected, literal, MARK, quoted, within } from "./connection.ts";
import { explained, isStatements, stateOf } from "./errors.ts";

const RETRY_MS = 100;

export async function apply(
  url: string,
  request: ApplyRequest,
  budgetMs: number,
): Promise<ApplyResult> {
  const until = Date.now() + budgetMs * 0.9;
  await using client = await connected("target", url, { statementMs: budgetMs });
  const built: string[] = [];
  const dropped: string[] = [];
  const failed: { name: string; why: string }[] = [];
  const tried = async (name: string, done: string[], work: () => Promise<void>) => {
    try {
      await limited(client, request.lockTimeoutMs, request.statementTimeoutMs);
      await work();
      done.push(name);
    } catch (error) {
      if (!isStatements(error) || stateOf(error) === "42501") throw explained("target", error);
      failed.push({ name, why: error instanceof Error ? error.message : String(error) });
    }
  };
  return await within("target", async () => {
    for (const { name, sql } of request.create) {
      await tried(name, built, () => build(client, name, sql, until));
    }
    for (const { name } of request.drop) {
      await tried(name, dropped, () => drop(client, name, until));
    }
    return { built, dropped, failed };
  });
}

async function limited(client: Connection, lockMs: number, statementMs: number): Promise<void> {
  await client.query(
    `${MARK} SELECT set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
    [`${lockMs}ms`, `${statementMs}ms`],
  );
}

async function build(client: Connection, name: string, sql: string, until: number): Promise<void> {
  const path = await pathOf(client, name, sql);
  const state = await stateOfIndex(client, path);
  if (state === "valid") return;
  if (state === "building") {
    // SQLSTATE 55006 is "object in use".
    throw Object.assign(new Error(`${path} is being built by somebody else.`), { code: "55006" });
  }
  if (state === "invalid") await removed(client, path, until);
  try {
    await client.query(sql);
  } catch (error) {
    if (isStatements(error) && (await stateOfIndex(client, path)) === "invalid") {
      await removed(client, path, until);
    }
    throw error;
  }
}

async function drop(client: Connection, name: string, until: number): Promise<void> {
  const parts = name.split(".").map((part) => quoted(part.replace(/^"|"$/g, "")));
  const path = parts.join(".");
  try {
    await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${path}`);
  } catch (error) {
    // A drop that gave up has marked it invalid already: it must be gone then, or be built again.
    if (isStatements(error) && (await stateOfIndex(client, path)) === "invalid") {
      await removed(client, path, until);
      return;
    }
    throw error;
  }
}

/** An index is in its table's schema. */
async function pathOf(client: Connection, name: string, sql: string): Promise<string> {
  const statement = (await parse(sql).catch(() => undefined))?.stmts?.[0]?.stmt;
  const relation = statement && "IndexStmt" in statement ? statement.IndexStmt.relation : undefined;
  if (relation?.schemaname) return `${quoted(relation.schemaname)}.${quoted(name)}`;
  const { rows } = await client.query<{ schema: string }>(
    `${MARK} SELECT nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE c.oid = to_regclass($1)`,
    [quoted(relation?.relname ?? "")],
  );
  return rows[0] ? `${quoted(rows[0].schema)}.${quoted(name)}` : quoted(name);
}

async function stateOfIndex(
  client: Connection,
  path: string,
): Promise<"valid" | "invalid" | "building" | "absent"> {
  const { rows } = await client.query<{ valid: boolean; building: boolean }>(
    `${MARK} SELECT indisvalid AND indisready AS valid,
       EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = indexrelid) AS building
     FROM pg_index WHERE indexrelid = to_regclass(${literal(path)})`,
  );
  if (!rows[0]) return "absent";
  if (rows[0].valid) return "valid";
  return rows[0].building ? "building" : "invalid";
}

/**
 * Waits for whoever still uses the table, without lock_timeout: while DROP INDEX CONCURRENTLY waits it
 * blocks nobody's reads or writes (PostgreSQL manual, "DROP INDEX").
 */
async function removed(client: Connection, path: string, until: number): Promise<void> {
  for (;;) {
    const leftMs = Math.max(1, Math.round(until - Date.now()));
    await limited(client, 0, leftMs);
    try {
      await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${path}`);
      return;
    } catch (error) {
      // Two that wait for each other's transactions are a deadlock, of which this is the one that gave up.
      if (stateOf(error) !== "40P01" || Date.now() > until) throw error;
      await wait(RETRY_MS);
    }
  }
}
