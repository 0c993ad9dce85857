import type pg from "pg";
import { privileged, tablesOf } from "./connections.ts";
import type { AdvisorContext } from "./kit.ts";

/** Of a database, by part of it: what must be equal if nobody changed anything. */
export type Fingerprint = Readonly<Record<string, string>>;

/** What is in a database, whatever is in its rows and statistics. */
const catalogue: Readonly<Record<string, string>> = {
  tables: `SELECT c.oid, c.relname, c.relkind, c.relfilenode, c.relowner, c.reloptions, c.relnatts
    FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
      'information_schema'::regnamespace) AND c.relpersistence <> 't'`,
  indexes: "SELECT i.indexrelid, i.indisvalid, i.indisready, i.indislive, i.indkey FROM pg_index i",
  "extended statistics": "SELECT e.* FROM pg_statistic_ext e",
  extensions: "SELECT e.extname, e.extversion FROM pg_extension e",
  schemas: "SELECT n.nspname FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%temp%'",
  functions: "SELECT p.oid, p.proname FROM pg_proc p",
  operators: "SELECT o.oid, o.oprname FROM pg_operator o",
  types:
    "SELECT y.oid, y.typname FROM pg_type y WHERE y.typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%temp%')",
  triggers: "SELECT g.oid, g.tgname, g.tgenabled FROM pg_trigger g",
};

const statistics: Readonly<Record<string, string>> = {
  "numbers of rows and pages, as the planner sees them": `SELECT c.oid, c.relpages, c.reltuples, c.relallvisible
    FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)`,
  statistics: `SELECT s.* FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace <> 'pg_catalog'::regnamespace`,
  settings:
    "SELECT s.* FROM pg_db_role_setting s JOIN pg_database b ON b.oid = s.setdatabase WHERE b.datname = current_database()",
};

/**
 * Everything in a database that somebody could have changed: its catalogue, and the rows as they are
 * stored; also what a transaction that was rolled back has left in a table's file.
 */
export async function fingerprintOf(t: AdvisorContext): Promise<Fingerprint> {
  // It looks at columns that others may not see.
  await using client = await privileged(t, "target");
  const found = await digests(client, { ...catalogue, ...statistics });
  for (const table of await tablesOf(client)) {
    const { rows } = await client.query<{ stored: string }>(
      `SELECT concat_ws(' ', count(*), bit_xor(hashtextextended(concat(r.ctid, r.xmin, r.xmax, r), 0)),
         pg_relation_size('${table.replaceAll("'", "''")}')) AS stored FROM ${table} AS r`,
    );
    found[`rows of ${table}`] = rows[0]?.stored ?? "";
  }
  return found;
}

const remembered = new WeakMap<AdvisorContext, Fingerprint>();

/** From now on, what is in the target is what belongs there. */
export async function remember(t: AdvisorContext): Promise<void> {
  remembered.set(t, await catalogueOf(t));
}

export async function rememberOnce(t: AdvisorContext): Promise<void> {
  if (!remembered.has(t)) await remember(t);
}

/** Nothing has come into the target since, and nothing has gone. */
export async function expectUntouched(t: AdvisorContext): Promise<void> {
  const before = remembered.get(t);
  if (!before) throw new Error("what is in the target was never remembered");
  t.equal(changed(before, await catalogueOf(t)), [], "advice changes nothing in the target");
}

async function catalogueOf(t: AdvisorContext): Promise<Fingerprint> {
  await using client = await privileged(t, "target");
  return await digests(client, catalogue);
}

async function digests(
  client: pg.Client,
  queries: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [part, query] of Object.entries(queries)) {
    const { rows } = await client.query<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(q::text, E'\\n' ORDER BY q::text), '')) AS digest FROM (${query}) AS q`,
    );
    found[part] = rows[0]?.digest ?? "";
  }
  return found;
}

/** @returns the parts in which two of them differ */
export function changed(before: Fingerprint, after: Fingerprint): string[] {
  const parts = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...parts].filter((part) => before[part] !== after[part]);
}
