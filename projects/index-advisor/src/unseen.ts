/** Indexes that work where EXPLAIN doesn't look: behind triggers. */
import { type Catalog, findTable } from "./catalog.ts";
import type { Candidate, Query } from "./model.ts";
import { isPrefix } from "./select/redundancy.ts";

/**
 * What EXPLAIN can't see: who deletes or re-keys a parent has its children looked through by the foreign key's
 * trigger. Such an index can only be found by measuring.
 */
export function unseenBy(
  candidates: readonly Candidate[],
  queries: readonly Query[],
  behind: (query: Query) => ReadonlySet<string>,
): readonly Candidate[] {
  const unseen = candidates.filter(({ index, statements }) =>
    queries.some(
      (query) =>
        statements.includes(query.statement) && behind(query).has(`${index.schema}.${index.table}`),
    ),
  );
  // A longer one does no more for a trigger that looks for equality.
  return unseen.filter(
    ({ index }) => !unseen.some((other) => other.index !== index && isPrefix(other.index, index)),
  );
}

/** Tables whose indexes a query's triggers may use, as `schema.table`. */
export function tablesBehind(
  catalog: Catalog,
  withTriggers: ReadonlySet<string>,
): (query: Query) => ReadonlySet<string> {
  const known = new Map<number, ReadonlySet<string>>();
  return (query) => {
    let tables = known.get(query.statement);
    if (tables === undefined) {
      tables = new Set(behind(query, catalog, withTriggers));
      known.set(query.statement, tables);
    }
    return tables;
  };
}

function behind(
  { kind, accesses }: Query,
  { tables, foreignKeys, ...catalog }: Catalog,
  withTriggers: ReadonlySet<string>,
): readonly string[] {
  const written = accesses.find(({ writes }) => writes !== undefined);
  const table =
    written && findTable({ tables, foreignKeys, ...catalog }, written.table, written.schema);
  if (kind === "select" || written === undefined || table === undefined) return [];
  if (withTriggers.has(`${table.schema}.${table.name}`)) {
    return tables.map(({ schema, name }) => `${schema}.${name}`);
  }
  return foreignKeys
    .filter((key) => key.parentSchema === table.schema && key.parentTable === table.name)
    .filter(
      ({ parentColumns }) =>
        kind === "delete" ||
        (kind === "update" && parentColumns.some((column) => written.writes?.includes(column))),
    )
    .map((key) => `${key.schema}.${key.table}`);
}
