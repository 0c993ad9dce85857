/** INSERT, UPDATE and DELETE, and what stands in their place. */
import type { DeleteStmt, InsertStmt, Node, ReturningClause, UpdateStmt } from "@pgsql/types";
import { condition } from "./conditions.ts";
import { common, from, relationOf } from "./from.ts";
import { mention, stands } from "./mention.ts";
import { type Draft, type Output, type Scope, scopeOf } from "./scope.ts";
import { select, targets } from "./select.ts";

/** @returns what it gives: a SELECT's columns, or RETURNING's */
export function statement(node: Node, parent: Scope): Output {
  if ("SelectStmt" in node) return select(node.SelectStmt, parent);
  const { analysis } = parent;
  const scope = scopeOf(analysis, parent);
  if ("InsertStmt" in node) {
    analysis.kind = "insert";
    return insert(node.InsertStmt, scope);
  }
  if ("UpdateStmt" in node) {
    analysis.kind = "update";
    return update(node.UpdateStmt, scope);
  }
  if ("DeleteStmt" in node) {
    analysis.kind = "delete";
    return remove(node.DeleteStmt, scope);
  }
  return new Map();
}

/** The table that is written. Its rows are fetched whole, so no index covers what is read of it. */
function written(
  relation: Parameters<typeof relationOf>[0] | undefined,
  scope: Scope,
): Draft | undefined {
  if (relation === undefined) return undefined;
  const found = relationOf(relation, scope);
  scope.relations.push(found);
  if (found.draft !== undefined) {
    found.draft.readsAll = true;
    found.draft.writes = found.draft.table.columns.map(({ name }) => name);
  }
  return found.draft;
}

function returning(clause: ReturningClause | undefined, scope: Scope): Output {
  return targets(clause?.exprs ?? [], scope);
}

function insert(node: InsertStmt, scope: Scope): Output {
  common(node.withClause, scope);
  const draft = written(node.relation, scope);
  const named = (node.cols ?? []).flatMap((item) =>
    "ResTarget" in item ? [item.ResTarget.name ?? ""] : [],
  );
  const columns = named.length > 0 ? named : (draft?.table.columns.map(({ name }) => name) ?? []);
  const source = node.selectStmt;
  if (source !== undefined && "SelectStmt" in source) {
    for (const [row, list] of (source.SelectStmt.valuesLists ?? []).entries())
      for (const [n, value] of ("List" in list ? (list.List.items ?? []) : []).entries())
        stored(value, columns[n], "inserted", draft, scope, row);
    // It doesn't see the table that is written to, but may read it by its own FROM.
    select(source.SelectStmt, scopeOf(scope.analysis, { ...scope, relations: [] }));
  }
  if (node.onConflictClause !== undefined) {
    const { targetList = [], whereClause } = node.onConflictClause;
    if (draft !== undefined) {
      draft.updates = targetList.flatMap((item) =>
        "ResTarget" in item ? [item.ResTarget.name ?? ""] : [],
      );
    }
    scope.relations.push({ name: "excluded", output: new Map() });
    for (const value of [...targetList, ...(whereClause === undefined ? [] : [whereClause])])
      mention(value, scope);
  }
  return returning(node.returningClause, scope);
}

function update(node: UpdateStmt, scope: Scope): Output {
  common(node.withClause, scope);
  const draft = written(node.relation, scope);
  for (const item of node.fromClause ?? []) from(item, scope);
  const set: string[] = [];
  for (const item of node.targetList ?? []) {
    if (!("ResTarget" in item)) continue;
    const { name = "", val } = item.ResTarget;
    set.push(name);
    if (val === undefined) continue;
    stored(val, name, "set", draft, scope);
    mention(val, scope);
  }
  if (draft !== undefined) draft.writes = set;
  if (node.whereClause !== undefined) condition(node.whereClause, scope);
  return returning(node.returningClause, scope);
}

function remove(node: DeleteStmt, scope: Scope): Output {
  common(node.withClause, scope);
  written(node.relation, scope);
  for (const item of node.usingClause ?? []) from(item, scope);
  if (node.whereClause !== undefined) condition(node.whereClause, scope);
  return returning(node.returningClause, scope);
}

/** A parameter that becomes a column's value. */
function stored(
  value: Node,
  column: string | undefined,
  role: "inserted" | "set",
  draft: Draft | undefined,
  scope: Scope,
  row = 0,
): void {
  if (draft === undefined || column === undefined) return;
  stands(value, { role, table: draft.table, column, alias: draft.alias, row }, scope);
}
