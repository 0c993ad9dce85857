/** Columns of a result: what an order means by them, and which columns of tables they are. */
import type { Node, SortBy } from "@pgsql/types";
import { fieldsOf, keyed, type Origin, type Scope } from "./scopes.ts";

export function direction({ node, sortby_dir, sortby_nulls }: SortBy) {
  const descending = sortby_dir === "SORTBY_DESC";
  const nullsFirst =
    sortby_nulls === "SORTBY_NULLS_FIRST" || (descending && sortby_nulls !== "SORTBY_NULLS_LAST");
  return { node, descending, nullsFirst };
}

/** `ORDER BY 2` and `ORDER BY total` mean columns of the result. */
export function aliased(node: Node | undefined, targets: readonly { name?: string; val?: Node }[]) {
  if (node && "A_Const" in node) return targets[(node.A_Const.ival?.ival ?? 0) - 1]?.val;
  const fields = node && "ColumnRef" in node ? fieldsOf(node.ColumnRef.fields) : [];
  return fields.length === 1 ? (targets.find(({ name }) => name === fields[0])?.val ?? node) : node;
}

export function output(
  name: string | undefined,
  value: Node | undefined,
  scope: Scope,
): [string, Origin | undefined][] {
  const fields = value && "ColumnRef" in value ? fieldsOf(value.ColumnRef.fields) : [];
  if (fields.at(-1) === "*") return scope.star(fields.at(-2));
  const found = keyed(value, scope);
  const origin =
    found?.key.column === undefined ? undefined : { use: found.use, column: found.key.column };
  const called = name ?? fields.at(-1);
  return called === undefined ? [] : [[called, origin]];
}
