/** Deleting a parent asks its children, by a trigger that no plan shows. */
import { type Catalog, type ForeignKey, findTable } from "../catalog.ts";
import type { IndexSpec, Query } from "../model.ts";

/** All children, and where deleting goes on from child to child, theirs. */
function childrenOf(
  catalog: Catalog,
  schema: string,
  table: string,
  writes: readonly string[],
  deletes: boolean,
  seen: Set<ForeignKey>,
): readonly ForeignKey[] {
  return catalog.foreignKeys.flatMap((key) => {
    const asks =
      key.parentSchema === schema &&
      key.parentTable === table &&
      (deletes || key.parentColumns.some((column) => writes.includes(column)));
    if (!asks || seen.has(key)) return [];
    seen.add(key);
    const further =
      deletes && key.cascades ? childrenOf(catalog, key.schema, key.table, [], true, seen) : [];
    return [key, ...further];
  });
}

/** An index on the referencing columns of each child of what the query deletes, or whose key it changes. */
export function childIndexes(query: Query, catalog: Catalog): readonly IndexSpec[] {
  return query.accesses.flatMap(({ schema, table, writes }) => {
    if (writes === undefined || query.kind === "insert" || query.kind === "select") return [];
    const deletes = query.kind === "delete";
    return childrenOf(catalog, schema, table, writes, deletes, new Set())
      .filter((key) => findTable(catalog, key.table, key.schema)?.kind === "table")
      .map((key) => ({
        schema: key.schema,
        table: key.table,
        method: "btree" as const,
        keys: key.columns.map((column) => ({ column })),
        include: [],
      }));
  });
}
