/** The copy, made ready to be worked in. */
import type { Skipped } from "../../contract.ts";
import { assertAtHome, tablesAbroad } from "../abroad.ts";
import {
  type Catalog,
  type ExistingIndex,
  findTable,
  readCatalog,
  type Table,
} from "../catalog.ts";
import type { Session } from "../database.ts";
import { sameIndex } from "../ddl.ts";
import { isConnectionLoss, messageOf, noPermission, sqlState } from "../errors.ts";
import type { Query } from "../model.ts";
import { type Explained, explainedOf } from "../plan.ts";
import type { Builds } from "../whatif/builds.ts";
import { withParts } from "./partitions.ts";

/** Nobody else may be in the copy: advisors that are there at the same moment wait for each other. */
export const LOCK = "SELECT pg_advisory_lock(hashtext('index-advisor'))";

/** @param there the target's catalogue @param named `schema.table` of those that have to be in order @returns the copy's, with the target's indexes */
export async function prepare(
  { client }: Session,
  builds: Builds,
  there: Catalog,
  named: ReadonlySet<string>,
  onProgress: (text: string) => void,
): Promise<Catalog> {
  await client.query(LOCK);
  await builds.clear();
  // Rows that were updated or deleted while it was loaded are out of the way, and statistics are new.
  await vacuum({ client }, named, "(ANALYZE)");
  const copy = await readCatalog(client);
  const tables = copy.tables.map((table) => {
    const original = findTable(there, table.name, table.schema);
    if (original && named.has(`${table.schema}.${table.name}`)) {
      for (const text of alike(original, table, builds)) onProgress(text);
    }
    return original ? { ...table, indexes: original.indexes } : table;
  });
  return { ...copy, tables, extensions: there.extensions, installable: there.installable };
}

/**
 * The planner sees the copy's indexes: what the target doesn't have is hidden from it.
 *
 * @returns what differs, for people
 */
function alike(original: Table, copy: Table, builds: Builds): readonly string[] {
  const isIn = ({ indexes }: Table, { spec }: ExistingIndex) =>
    indexes.some((other) => other.valid && sameIndex(other.spec, spec));
  const missing = original.indexes.filter((index) => index.valid && !isIn(copy, index));
  const more = copy.indexes.filter((index) => index.valid && !isIn(original, index));
  const hideable = more.filter((index) => !index.backsConstraint && !index.partOfAnother);
  for (const index of hideable) builds.adopt(index);
  return [
    ...missing.map(
      ({ name }) => `the copy lacks ${name}: what is measured there is slower than in the database`,
    ),
    ...more.map((index) => {
      const how = hideable.includes(index) ? "is not looked at" : "can't be hidden";
      return `${index.name} is in the copy and not in the database: it ${how}`;
    }),
  ];
}

/**
 * Partitions come with what they are partitions of, which alone has statistics of all of them together.
 *
 * @param named `schema.table`
 */
export async function vacuum(
  { client }: Pick<Session, "client">,
  named: ReadonlySet<string>,
  how = "",
): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `WITH named AS (
       SELECT c.oid, c.relispartition, format('%I.%I', n.nspname, c.relname) AS name
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't' AND pg_has_role(c.relowner, 'USAGE')
         AND n.nspname || '.' || c.relname = ANY ($1))
     SELECT name FROM named
     WHERE NOT (relispartition AND EXISTS (
       SELECT FROM pg_partition_ancestors(named.oid) AS a (oid) JOIN named AS above USING (oid) WHERE a.oid <> named.oid))`,
    [[...named]],
  );
  if (rows.length === 0) return;
  await client.query(`VACUUM ${how} ${rows.map(({ name }) => name).join(", ")}`);
}

/** Without those that the copy's planner refuses, by themselves, and those that must not be run; with the parts that they read. */
export async function runnable(
  { client }: Session,
  all: readonly Query[],
  catalog: Catalog,
): Promise<{ queries: Query[]; skipped: Skipped[] }> {
  const queries: Query[] = [];
  const skipped: Skipped[] = [];
  let refusal: unknown;
  const abroad = await tablesAbroad(client);
  for (const query of all) {
    try {
      const plans: Explained[] = [];
      for (const { sql } of query.instances) {
        const { rows } = await client.query(`EXPLAIN (VERBOSE, FORMAT JSON) ${sql}`);
        await assertAtHome({ sql, rows }, abroad);
        plans.push(explainedOf(rows));
      }
      queries.push(withParts(query, plans, catalog));
    } catch (error) {
      if (isConnectionLoss(error)) throw error;
      if (sqlState(error) === "42501") refusal = error;
      skipped.push({ statement: query.statement, why: messageOf(error) });
    }
  }
  if (refusal !== undefined && queries.length === 0) {
    throw noPermission("scratch", "plan any of the statements", refusal);
  }
  return { queries, skipped };
}

/** Other than those of foreign keys: what such triggers ask, nobody knows. As `schema.table`. */
export async function tablesWithTriggers({ client }: Session): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT n.nspname || '.' || c.relname AS name
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'`,
  );
  return new Set(rows.map(({ name }) => name));
}
