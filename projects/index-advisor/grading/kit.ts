import { type CheckContext, checksFor } from "@db-katas/grading";
import pg from "pg";
import type { Advisor, Submission } from "../contract.ts";

/** What nodes are told that a call may take, in milliseconds: no check measures how quickly advice comes. */
export const BUDGET_MS = 40_000;

export type AdvisorContext = CheckContext<Submission>;
export type Role = "target" | "scratch";

const roles: readonly Role[] = ["target", "scratch"];

/** Checks of this exercise start from two empty databases, and load the same tables into both. */
export const check = checksFor<Submission>({});

export async function startAdvisor(
  t: AdvisorContext,
  name = "a",
  requestBudgetMs = BUDGET_MS,
): Promise<Advisor> {
  const [target, scratch] = await Promise.all(roles.map((role) => t.lease(role).urlFor(name)));
  return t.start(name, { name, target: target ?? "", scratch: scratch ?? "", requestBudgetMs });
}

export type GraderClient = pg.Client & AsyncDisposable;

/**
 * A connection of the grader's own, as the database's owner, which the advisor is, too. Whatever a submission
 * may have put behind a table of its own (a trigger, a view's function) gets no more rights than it has anyway.
 */
export async function connected(t: AdvisorContext, role: Role): Promise<GraderClient> {
  return open({ connectionString: await t.lease(role).urlFor("grader") });
}

/**
 * One with full rights on the database, straight to the server, for what an owner may not do. It finds nothing
 * by its name alone but what is PostgreSQL's own, and is not for statements that call anything of a submission's.
 */
export function privileged(t: AdvisorContext, role: Role): Promise<GraderClient> {
  return open({ connectionString: t.lease(role).adminUrl, options: "-c search_path=pg_catalog" });
}

/** Likewise, with full rights on the server. */
export function superuser(
  t: AdvisorContext,
  role: Role,
  database = t.lease(role).namespace,
): Promise<GraderClient> {
  const url = new URL(t.lease(role).engine.adminUrl);
  url.pathname = `/${database}`;
  return open({ connectionString: url.href, options: "-c search_path=pg_catalog" });
}

async function open(config: pg.ClientConfig): Promise<GraderClient> {
  const client = new pg.Client(config);
  // A connection that breaks shows in the query that uses it.
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/**
 * Runs the same statements in both databases. Then nothing changes the tables' statistics but who means
 * to: autovacuum, which would do so at a moment of its own, is off for them.
 * @param settle also VACUUM (ANALYZE): fresh statistics, and a visibility map for index-only scans
 */
export async function load(
  t: AdvisorContext,
  statements: readonly string[],
  { settle = true }: { readonly settle?: boolean } = {},
): Promise<void> {
  const fill = async (role: Role) => {
    await using client = await connected(t, role);
    for (const sql of statements) await client.query(sql);
    for (const table of await tablesOf(client)) {
      await client.query(`ALTER TABLE ${table} SET (autovacuum_enabled = off)`);
      if (settle) await client.query(`VACUUM (ANALYZE) ${table}`);
    }
  };
  await Promise.all(roles.map(fill));
}

/** @returns quoted names with their schemas, in alphabetical order */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'cron') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/**
 * SQL for a whole number from 0 to `below` - 1, drawn for each `i` of a generate_series: even, without
 * any order, and the same in every database.
 * @param salt another one for each column
 */
export function drawn(salt: number, below: number, i = "i"): string {
  return `((hashint8extended(${i}, ${salt}) & 9007199254740991) % ${below})`;
}

/** SQL for 32 hexadecimal digits, likewise; it can't be compressed. */
export function digest(salt: number, i = "i"): string {
  return `md5((hashint8extended(${i}, ${salt}))::text)`;
}
