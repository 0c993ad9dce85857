/** SELECT. */
import type { Node, SelectStmt } from "@pgsql/types";
import { condition } from "./conditions.ts";
import { common, from } from "./from.ts";
import { mention, stands } from "./mention.ts";
import { group, order } from "./order.ts";
import { type Origin, type Output, resolve, type Scope, scopeOf } from "./scope.ts";
import { lastName } from "./tree.ts";

export function select(statement: SelectStmt, parent: Scope): Output {
  const scope = scopeOf(parent.analysis, parent);
  common(statement.withClause, scope);
  limit(statement, scope);
  const { larg, rarg } = statement;
  if (larg !== undefined && rarg !== undefined) {
    const left = select(larg, scope);
    const right = [...select(rarg, scope).values()];
    return new Map([...left].map(([name, origin], n) => [name, together(origin, right[n])]));
  }
  for (const row of statement.valuesLists ?? []) mention(row, scope);
  for (const node of statement.fromClause ?? []) from(node, scope);
  if (statement.whereClause !== undefined) condition(statement.whereClause, scope);
  const output = targets(statement.targetList ?? [], scope);
  for (const node of [
    ...(statement.groupClause ?? []),
    ...(statement.windowClause ?? []),
    ...(statement.sortClause ?? []),
    ...(statement.distinctClause ?? []),
    ...(statement.havingClause === undefined ? [] : [statement.havingClause]),
  ])
    mention(node, scope);
  // What is locked is fetched whole.
  if (statement.lockingClause !== undefined)
    for (const { draft } of scope.relations) if (draft !== undefined) draft.readsAll = true;
  group(statement, scope);
  order(statement, scope);
  return output;
}

function together(left: Origin | undefined, right: Origin | undefined): Origin | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return { ...left, also: [...(left.also ?? []), right, ...(right.also ?? [])] };
}

function limit({ limitCount, limitOffset }: SelectStmt, scope: Scope): void {
  for (const [node, role] of [
    [limitCount, "limit"],
    [limitOffset, "offset"],
  ] as const) {
    if (node === undefined) continue;
    stands(node, { role }, scope);
    mention(node, scope);
  }
}

/** The select list: what is read, and what the SELECT gives. */
export function targets(list: readonly Node[], scope: Scope): Output {
  const output = new Map<string, Origin | undefined>();
  for (const node of list) {
    if (!("ResTarget" in node)) continue;
    const { name, val } = node.ResTarget;
    if (val === undefined) continue;
    mention(val, scope);
    if ("ColumnRef" in val && val.ColumnRef.fields?.some((field) => "A_Star" in field)) {
      const relation = lastName(val.ColumnRef.fields);
      for (const { name, output: given } of scope.relations)
        if (relation === "" || relation === name)
          for (const [column, origin] of given) output.set(column, origin);
    } else if ("ColumnRef" in val)
      output.set(name ?? lastName(val.ColumnRef.fields), resolve(val.ColumnRef, scope));
    else output.set(name ?? nameOf(val), undefined);
  }
  return output;
}

/** As the server names a column without a name: by its function, or not at all. */
function nameOf(node: Node): string {
  if ("FuncCall" in node) return lastName(node.FuncCall.funcname);
  if ("TypeCast" in node && node.TypeCast.arg !== undefined) return nameOf(node.TypeCast.arg);
  return "?column?";
}
