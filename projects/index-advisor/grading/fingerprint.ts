import type pg from "pg";
import { connected, privileged, tablesOf } from "./connections.ts";
import type { AdvisorContext } from "./kit.ts";

/** Of a database, by part of it: what must be equal if nobody changed anything. */
export type Fingerprint = Readonly<Record<string, string>>;

/**
 * Of these, not all columns or rows: some tell of statistics, which others may change, or are only
 * brought up to date now and then. Of every other table of the system's catalogue, all is compared.
 */
const special: Readonly<Record<string, string>> = {
  pg_class: `SELECT to_jsonb(c) - ARRAY['relpages', 'reltuples', 'relallvisible', 'relallfrozen', 'relfrozenxid', 'relminmxid',
      'relhasindex', 'relhasrules', 'relhastriggers', 'relhassubclass'] FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace,
      'information_schema'::regnamespace) AND c.relpersistence <> 't'`,
  pg_index: "SELECT to_jsonb(i) - 'indcheckxmin' FROM pg_index i",
  // What a session needs for its temporary tables stays there when these are gone.
  pg_namespace:
    "SELECT n.nspname, n.nspacl::text FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\\_%temp%'",
  pg_type:
    "SELECT y.oid, y.typname FROM pg_type y WHERE y.typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%temp%')",
  pg_db_role_setting:
    "SELECT s.* FROM pg_db_role_setting s WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))",
};

/** Rows of statistics, and of large objects, which belong to fingerprintOf(). */
const ofRows = ["pg_statistic", "pg_statistic_ext_data", "pg_largeobject"];

const statistics: Readonly<Record<string, string>> = {
  "numbers of rows and pages, as the planner sees them": `SELECT c.oid, c.relpages, c.reltuples, c.relallvisible
    FROM pg_class c WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'pg_toast'::regnamespace)`,
  "files of tables": `SELECT c.oid, pg_relation_size(c.oid) FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace <> 'pg_catalog'::regnamespace`,
  statistics: `SELECT s.* FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE c.relnamespace <> 'pg_catalog'::regnamespace`,
};

/**
 * Everything in a database that somebody could have changed: its catalogue, and the rows as they are
 * stored; also what a transaction that was rolled back has left in a table's file.
 */
export async function fingerprintOf(t: AdvisorContext): Promise<Fingerprint> {
  // It looks at columns that others may not see.
  await using looking = await privileged(t, "target");
  const found = await digests(looking, { ...(await catalogueOf(looking)), ...statistics });
  return { ...found, ...(await rowsOf(t, "concat(r.ctid, r.xmin, r.xmax, r)")) };
}

/** @param text of each row `r`; their order is no matter */
async function rowsOf(t: AdvisorContext, text: string): Promise<Fingerprint> {
  // They are read as anybody would: what stands under a table's name may have become something else meanwhile.
  await using client = await connected(t, "target");
  const found: Record<string, string> = {};
  for (const table of await tablesOf(client)) {
    const { rows } = await client.query<{ digest: string }>(
      `SELECT concat_ws(' ', count(*), bit_xor(hashtextextended(${text}, 0))) AS digest FROM ${table} AS r`,
    );
    found[`rows of ${table}`] = rows[0]?.digest ?? "";
  }
  return found;
}

const remembered = new WeakMap<AdvisorContext, Fingerprint>();

/** From now on, what is in the target is what belongs there. */
export async function remember(t: AdvisorContext): Promise<void> {
  remembered.set(t, await present(t));
}

export async function rememberOnce(t: AdvisorContext): Promise<void> {
  if (!remembered.has(t)) await remember(t);
}

/** Nothing has come into the target since, and nothing has gone: tables and their like, and what is in their rows. */
export async function expectUntouched(t: AdvisorContext): Promise<void> {
  const before = remembered.get(t);
  if (!before) throw new Error("what is in the target was never remembered");
  t.equal(changed(before, await present(t)), [], "advice changes nothing in the target");
}

async function present(t: AdvisorContext): Promise<Fingerprint> {
  await using client = await privileged(t, "target");
  const found = await digests(client, await catalogueOf(client));
  // Where they are stored is no matter: the grader's own probes are rolled back, and leave a trace there.
  return { ...found, ...(await rowsOf(t, "r::text")) };
}

/** @returns a query for each table of the system's catalogue */
async function catalogueOf(client: pg.Client): Promise<Readonly<Record<string, string>>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
       AND NOT relisshared AND relname <> ALL ($1)`,
    [ofRows],
  );
  const whole = rows.map(({ name }) => [name, `SELECT * FROM pg_catalog.${name}`]);
  return { ...Object.fromEntries(whole), ...special };
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
