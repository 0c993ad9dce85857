import pg from "pg";
import type { AdvisorContext } from "./kit.ts";

export type Role = "target" | "scratch";

export type GraderClient = pg.Client & AsyncDisposable;

/**
 * A connection of the grader's own, as the database's owner, which the advisor is, too. Whatever a submission
 * may have put behind a table of its own (a trigger, a view's function) gets no more rights than it has anyway.
 */
export async function connected(t: AdvisorContext, role: Role): Promise<GraderClient> {
  // A role may have settings, and they are the submission's, too: those of a connection come before them.
  const client = await open({
    connectionString: await t.lease(role).urlFor("grader"),
    options: "-c search_path=public",
  });
  // The server tells it when it lets somebody in; pg's types don't.
  const { processID } = client as unknown as { processID: number };
  pids.set(t, [...ownPids(t), processID]);
  return client;
}

const pids = new WeakMap<AdvisorContext, readonly number[]>();

/** The server's processes behind all that {@link connected} has opened in this check: nobody else is the grader. */
export function ownPids(t: AdvisorContext): readonly number[] {
  return pids.get(t) ?? [];
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

/** @returns quoted names with their schemas, in alphabetical order; of a partitioned table, its partitions' */
export async function tablesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'cron') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
