/** Deleting a parent asks its children, by a trigger that no plan shows. */
import type { Catalog } from "../catalog.ts";
import { findTable } from "../catalog.ts";
import type { IndexSpec, Query } from "../model.ts";

/** An index on the referencing columns of each child of what the query deletes, or whose key it changes. */
export function childIndexes(query: Query, catalog: Catalog): readonly IndexSpec[] {
  if (query.kind !== "delete" && query.kind !== "update") return [];
  return query.accesses.flatMap(({ schema, table, writes = [] }) =>
    catalog.foreignKeys
      .filter(
        (key) =>
          key.parentSchema === schema &&
          key.parentTable === table &&
          key.parentColumns.some((column) => writes.includes(column)),
      )
      .filter((key) => findTable(catalog, key.table, key.schema)?.kind === "table")
      .map((key) => ({
        schema: key.schema,
        table: key.table,
        method: "btree" as const,
        keys: key.columns.map((column) => ({ column })),
        include: [],
      })),
  );
}
