/** What an expression reads, wherever it stands. */
import type { Node } from "@pgsql/types";
import { keyOf, keySql } from "./operands.ts";
import { read, type Scope } from "./scope.ts";
import { subLink } from "./sublinks.ts";
import { all, below, lastName } from "./tree.ts";
import type { ParameterUse } from "./uses.ts";

const PATHS = new Set(["->", "->>", "#>", "#>>"]);
const FIELDS = new Set(["extract", "date_part", "date_trunc"]);

/** What a parameter stands for, by the expression right around it. */
function useIn(parent: Node | undefined, child: Node, scope: Scope): Omit<ParameterUse, "number"> {
  if (parent !== undefined && "A_Expr" in parent && PATHS.has(lastName(parent.A_Expr.name))) {
    const { lexpr } = parent.A_Expr;
    const key = lexpr === undefined ? undefined : keyOf(lexpr, scope);
    return key === undefined
      ? { role: "key" }
      : { role: "key", table: key.draft.table, ...keySql(key) };
  }
  if (parent !== undefined && "FuncCall" in parent && parent.FuncCall.args?.[0] === child)
    if (FIELDS.has(lastName(parent.FuncCall.funcname))) return { role: "field" };
  return { role: "other" };
}

/** Notes columns, parameters and subqueries. */
export function mention(node: Node, scope: Scope, parent?: Node): void {
  if ("ColumnRef" in node) read(node.ColumnRef, scope);
  else if ("SubLink" in node) subLink(node.SubLink, scope);
  else if ("SelectStmt" in node) scope.analysis.select(node.SelectStmt, scope);
  else if ("ParamRef" in node)
    scope.analysis.uses.push({ number: node.ParamRef.number ?? 0, ...useIn(parent, node, scope) });
  else for (const child of below(node)) mention(child, scope, node);
}

/** Notes what all parameters within stand for. */
export function stands(node: Node, use: Omit<ParameterUse, "number">, scope: Scope): void {
  for (const part of all(node))
    if ("ParamRef" in part) scope.analysis.uses.push({ number: part.ParamRef.number ?? 0, ...use });
}
