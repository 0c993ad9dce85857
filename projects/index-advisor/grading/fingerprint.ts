import { type AdvisorContext, privileged, tablesOf } from "./kit.ts";

/** Of a database, by part of it: what must be equal if nobody changed anything. */
export type Fingerprint = Readonly<Record<string, string>>;

const parts: Readonly<Record<string, string>> = {
  tables: `SELECT c.oid, c.relname, c.relkind, c.relfilenode, c.relowner, c.reloptions, c.relnatts
    FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
      'information_schema'::regnamespace) AND c.relpersistence <> 't'`,
  indexes: "SELECT i.indexrelid, i.indisvalid, i.indisready, i.indislive, i.indkey FROM pg_index i",
  "numbers of rows and pages, as the planner sees them": `SELECT c.oid, c.relpages, c.reltuples, c.relallvisible
    FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)`,
  statistics: `SELECT s.* FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace <> 'pg_catalog'::regnamespace`,
  "extended statistics": "SELECT e.* FROM pg_statistic_ext e",
  extensions: "SELECT e.extname, e.extversion FROM pg_extension e",
  schemas: "SELECT n.nspname FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%temp%'",
  functions: "SELECT p.oid, p.proname FROM pg_proc p",
  types:
    "SELECT y.oid, y.typname FROM pg_type y WHERE y.typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%temp%')",
  triggers: "SELECT g.oid, g.tgname, g.tgenabled FROM pg_trigger g",
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
  const found: Record<string, string> = {};
  const digest = async (part: string, query: string) => {
    const { rows } = await client.query<{ digest: string }>(
      `SELECT md5(coalesce(string_agg(q::text, E'\\n' ORDER BY q::text), '')) AS digest FROM (${query}) AS q`,
    );
    found[part] = rows[0]?.digest ?? "";
  };
  for (const [part, query] of Object.entries(parts)) await digest(part, query);
  for (const table of await tablesOf(client)) {
    const { rows } = await client.query<{ stored: string }>(
      `SELECT concat_ws(' ', count(*), bit_xor(hashtextextended(concat(r.ctid, r.xmin, r.xmax, r), 0)),
         pg_relation_size('${table.replaceAll("'", "''")}')) AS stored FROM ${table} AS r`,
    );
    found[`rows of ${table}`] = rows[0]?.stored ?? "";
  }
  return found;
}

/** @returns the parts in which two of them differ */
export function changed(before: Fingerprint, after: Fingerprint): string[] {
  const parts = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...parts].filter((part) => before[part] !== after[part]);
}
