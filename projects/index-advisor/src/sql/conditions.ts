/** WHERE, ON and HAVING, condition by condition. */
import type { A_Expr, Node } from "@pgsql/types";
import { mention } from "./mention.ts";
import { keyOf } from "./operands.ts";
import { type Arm, among, anyOf, compare, compared, filter, testOf } from "./predicates.ts";
import type { Scope } from "./scope.ts";
import { lastName } from "./tree.ts";

/** Notes what it asks of its tables. */
export function condition(node: Node, scope: Scope, arm?: Arm): void {
  if ("BoolExpr" in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === "AND_EXPR") for (const one of args) condition(one, scope, arm);
    else if (boolop === "OR_EXPR") either(args, node, scope, arm);
    else for (const one of args) negated(one, node, scope, arm);
  } else if ("A_Expr" in node) comparison(node.A_Expr, node, scope, arm);
  else if ("NullTest" in node) {
    const { arg, nulltesttype } = node.NullTest;
    const comparison = nulltesttype === "IS_NULL" ? "is-null" : "is-not-null";
    if (arg !== undefined) tested(arg, comparison, node, scope, arm);
  } else if ("BooleanTest" in node) {
    const { arg, booltesttype } = node.BooleanTest;
    if (arg !== undefined && (booltesttype === "IS_TRUE" || booltesttype === "IS_FALSE"))
      truth(arg, booltesttype === "IS_TRUE", node, scope, arm);
    else filter(node, scope, arm);
    mention(node, scope);
  } else if ("ColumnRef" in node) truth(node, true, node, scope, arm);
  else if ("FuncCall" in node && lastName(node.FuncCall.funcname) === "starts_with") {
    const [text, prefix] = node.FuncCall.args ?? [];
    if (text !== undefined && prefix !== undefined) compare(text, "^@", prefix, node, scope, arm);
  } else {
    filter(node, scope, arm);
    mention(node, scope);
  }
}

/** Arms of an OR within an arm are arms of the outer one: each wants an index just the same. */
function either(args: readonly Node[], whole: Node, scope: Scope, outer?: Arm): void {
  const { analysis } = scope;
  const or = outer?.or ?? ++analysis.ors;
  if (outer === undefined) filter(whole, scope);
  for (const [n, one] of args.entries())
    condition(one, scope, { or, arm: outer === undefined ? n : outer.arm * 100 + n });
}

function negated(node: Node, whole: Node, scope: Scope, arm?: Arm): void {
  if ("NullTest" in node) {
    const { arg, nulltesttype } = node.NullTest;
    const comparison = nulltesttype === "IS_NULL" ? "is-not-null" : "is-null";
    if (arg !== undefined) tested(arg, comparison, whole, scope, arm);
  } else if ("ColumnRef" in node) truth(node, false, whole, scope, arm);
  else {
    filter(whole, scope, arm);
    mention(node, scope);
  }
}

function tested(
  arg: Node,
  comparison: "is-null" | "is-not-null",
  whole: Node,
  scope: Scope,
  arm?: Arm,
): void {
  const key = keyOf(arg, scope);
  if (key !== undefined) compared(key, { comparison }, { ...arm, ...testOf(whole, scope) });
  mention(arg, scope);
}

/** A boolean column is its own condition. */
function truth(node: Node, value: boolean, whole: Node, scope: Scope, arm?: Arm): void {
  const key = keyOf(node, scope);
  if (key?.column?.baseType === "bool")
    compared(
      key,
      { comparison: "equal" },
      { ...arm, constant: String(value), ...testOf(whole, scope) },
    );
  mention(node, scope);
}

function comparison(expression: A_Expr, whole: Node, scope: Scope, arm?: Arm): void {
  const { lexpr, rexpr } = expression;
  if (lexpr !== undefined && rexpr !== undefined)
    if (looksUp(expression, lexpr, rexpr, whole, scope, arm)) return;
  filter(whole, scope, arm);
  mention(whole, scope);
}

/** @returns false for what no index can look up; nothing is noted then */
function looksUp(
  { kind, name }: A_Expr,
  left: Node,
  right: Node,
  whole: Node,
  scope: Scope,
  arm?: Arm,
): boolean {
  const operator = lastName(name);
  switch (kind) {
    case "AEXPR_OP":
    case "AEXPR_LIKE":
    case "AEXPR_ILIKE":
      if ("RowExpr" in left && "RowExpr" in right)
        pairs(left.RowExpr.args, operator, right.RowExpr.args, whole, scope, arm);
      else compare(left, operator, right, whole, scope, arm);
      return true;
    case "AEXPR_IN":
      if (operator !== "=") return false;
      if ("RowExpr" in left) rows(left.RowExpr.args ?? [], right, whole, scope, arm);
      else among(left, right, whole, scope, arm);
      return true;
    case "AEXPR_OP_ANY":
      if (operator === "=") among(left, right, whole, scope, arm);
      else anyOf(left, operator, right, whole, scope, arm);
      return true;
    case "AEXPR_BETWEEN":
    case "AEXPR_BETWEEN_SYM": {
      const [from, to] = "List" in right ? (right.List.items ?? []) : [];
      if (from === undefined || to === undefined) return false;
      compare(left, ">=", from, whole, scope, arm);
      compare(left, "<=", to, whole, scope, arm);
      return true;
    }
    default:
      return false;
  }
}

/** `(a, b) > (x, y)`: the first column bounds, the others matter with it only; `=` is one by one. */
function pairs(
  left: readonly Node[] = [],
  operator: string,
  right: readonly Node[] = [],
  whole: Node,
  scope: Scope,
  arm?: Arm,
): void {
  for (const [n, one] of left.entries()) {
    const other = right[n];
    if (other !== undefined) compare(one, operator, other, whole, scope, arm);
  }
}

/** `(a, b) IN ((1, 2), …)`. */
function rows(left: readonly Node[], right: Node, whole: Node, scope: Scope, arm?: Arm): void {
  const lists = "List" in right ? (right.List.items ?? []) : [];
  for (const [n, one] of left.entries()) {
    const items = lists.flatMap((row) => ("RowExpr" in row ? (row.RowExpr.args?.[n] ?? []) : []));
    among(one, { List: { items } }, whole, scope, arm);
  }
}
