/** Conditions: what each of them says about a table's columns, and which values it compares them with. */
import type { A_Expr, Node, SubLink } from "@pgsql/types";
import { fieldsOf, type Keyed, keyed, type Scope, usesIn } from "./scopes.ts";
import type { Condition, Kind, OrderKey, Slot, Use } from "./shape.ts";

const RANGES = new Set(["<", "<=", ">", ">="]);
const COMMUTED: Readonly<Record<string, string>> = {
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
  "@>": "<@",
  "<@": "@>",
};
/** Nothing that an index finds, however often it is asked. */
const UNHELPFUL = new Set([
  "<>",
  "!=",
  "!~~",
  "!~~*",
  "!~",
  "!~*",
  "+",
  "-",
  "*",
  "/",
  "||",
  "->",
  "->>",
]);

/** Comparing an integer with one of these turns the column into it, and an index on the column is of no use. */
const WIDER: Readonly<Record<string, string>> = {
  numeric: "numeric",
  float8: "double precision",
  text: "text",
};

/** Where the places are kept of whose values nothing but the statement's text is known. */
export interface Sink {
  readonly slots: Slot[];
  readonly subquery: (link: SubLink, scope: Scope) => void;
}

export function readCondition(node: Node | undefined, scope: Scope, sink: Sink): Condition[] {
  if (!node) return [];
  if ("BoolExpr" in node) {
    const { boolop, args = [] } = node.BoolExpr;
    if (boolop === "OR_EXPR") return either(args, scope, sink);
    const parts = args.map((part) => readCondition(part, scope, sink));
    return boolop === "AND_EXPR" ? parts.flat() : negated(args[0], scope);
  }
  if ("A_Expr" in node) return compared(node.A_Expr, scope, sink);
  if ("NullTest" in node) {
    const tested = keyed(node.NullTest.arg, scope);
    const kind = node.NullTest.nulltesttype === "IS_NULL" ? "equal" : "range";
    return tested ? noted(tested, kind, "IS NULL") : [];
  }
  if ("BooleanTest" in node) return flag(node.BooleanTest.arg, scope);
  if ("ColumnRef" in node) return flag(node, scope);
  if ("SubLink" in node) {
    sink.subquery(node.SubLink, scope);
    const { subLinkType, testexpr } = node.SubLink;
    if (subLinkType !== "ANY_SUBLINK") return [];
    const tested = (itemsOf(testexpr) ?? [testexpr]).map((each) => keyed(each, scope));
    return tested.flatMap((each) => (each ? noted(each, "equal", "=") : []));
  }
  subqueriesIn(node, scope, sink);
  return [];
}

/** Every subquery below a node that is no condition itself. */
export function subqueriesIn(node: unknown, scope: Scope, sink: Sink): void {
  if (Array.isArray(node)) for (const part of node) subqueriesIn(part, scope, sink);
  else if (typeof node === "object" && node !== null) {
    if ("SubLink" in node) sink.subquery((node as { SubLink: SubLink }).SubLink, scope);
    else for (const part of Object.values(node)) subqueriesIn(part, scope, sink);
  }
}

/** Arms of one table are answered by an index for each of them; with one missing, by none. */
function either(arms: readonly Node[], scope: Scope, sink: Sink): Condition[] {
  const firsts = arms.map((arm) => readCondition(arm, scope, sink));
  const use = firsts[0]?.[0]?.use;
  const picked = firsts.map((conditions) => conditions.find((condition) => condition.use === use));
  const alternatives = picked.filter((condition) => condition !== undefined);
  if (use && alternatives.length === arms.length) {
    const different = alternatives.filter(
      ({ key }, at) => alternatives.findIndex((other) => other.key.sql === key.sql) === at,
    );
    if (different.length === 1) use.conditions.push(...different);
    else use.alternatives.push(different);
  }
  return [];
}

const negated = (node: Node | undefined, scope: Scope): Condition[] =>
  node && "ColumnRef" in node ? flag(node, scope) : [];

function flag(node: Node | undefined, scope: Scope): Condition[] {
  const tested = keyed(node, scope);
  return tested ? noted(tested, "equal", "=") : [];
}

function noted({ use, key }: Keyed, kind: Kind, operator: string, anchored = false): [Condition] {
  return [{ use, key, kind, operator, anchored }];
}

function compared(expression: A_Expr, scope: Scope, sink: Sink): Condition[] {
  const { kind, lexpr, rexpr } = expression;
  const name = fieldsOf(expression.name).at(-1) ?? "";
  subqueriesIn([lexpr, rexpr], scope, sink);
  if (
    kind === "AEXPR_OP_ALL" ||
    kind === "AEXPR_DISTINCT" ||
    kind?.startsWith("AEXPR_NOT_B") ||
    UNHELPFUL.has(name)
  )
    return [];
  const operator = kind === "AEXPR_BETWEEN" || kind === "AEXPR_BETWEEN_SYM" ? ">=" : name;
  const rows = paired(lexpr, rexpr);
  if (rows) {
    return rows.flatMap(([left, right]) => [
      ...oneSide(left, right, operator, false, scope, sink),
      ...oneSide(right, left, COMMUTED[name] ?? name, false, scope, sink),
    ]);
  }
  return [
    ...oneSide(lexpr, rexpr, operator, kind === "AEXPR_BETWEEN", scope, sink),
    ...(kind === "AEXPR_OP"
      ? oneSide(rexpr, lexpr, COMMUTED[name] ?? name, false, scope, sink)
      : []),
  ];
}

const itemsOf = (node: Node | undefined): readonly Node[] | undefined =>
  node && "RowExpr" in node ? (node.RowExpr.args ?? []) : undefined;

/** `(a, b) = (1, 2)` compares a with 1 and b with 2; `(a, b) IN ((1, 2), (3, 4))` does so with lists. */
function paired(
  left: Node | undefined,
  right: Node | undefined,
): [Node, Node | undefined][] | undefined {
  const columns = itemsOf(left);
  if (!columns) return undefined;
  const list = right && "List" in right ? (right.List.items ?? []) : undefined;
  return columns.map((column, at) => {
    if (!list) return [column, itemsOf(right)?.[at]];
    const items = list.flatMap((row) => itemsOf(row)?.[at] ?? []);
    return [column, { List: { items } }];
  });
}

function oneSide(
  side: Node | undefined,
  other: Node | undefined,
  operator: string,
  between: boolean,
  scope: Scope,
  sink: Sink,
): Condition[] {
  const found = keyed(side, scope);
  if (!found || usesIn(other, scope).has(found.use)) return [];
  const values = other && "List" in other ? (other.List.items ?? []) : [other];
  for (const [at, value] of values.entries()) {
    slot(value, found, between && at === 1 ? "<=" : operator, sink);
  }
  const kind: Kind = operator === "=" ? "equal" : RANGES.has(operator) ? "range" : "search";
  const conditions: Condition[] = noted(
    found,
    kind,
    operator,
    kind === "search" && anchored(other),
  );
  const wider = widened(side, other);
  const cast = wider && keyed(wider, scope);
  return cast ? [...conditions, ...noted(cast, kind, operator)] : conditions;
}

/** Remembers where a parameter stands that is compared with a key. */
export function slot(value: Node | undefined, of: Keyed | undefined, operator: string, sink: Sink) {
  const inner = value && "TypeCast" in value ? value.TypeCast.arg : value;
  if (!inner) return;
  if ("ParamRef" in inner) {
    const { location: at = 0, number: parameter = 0 } = inner.ParamRef;
    sink.slots.push({ at, parameter, use: of?.use, key: of?.key, operator });
  }
}

function anchored(pattern: Node | undefined): boolean {
  const value = pattern && "TypeCast" in pattern ? pattern.TypeCast.arg : pattern;
  if (value && "A_Const" in value) return !/^[%_]|^$/.test(value.A_Const.sval?.sval ?? "%");
  return true;
}

function widened(side: Node | undefined, other: Node | undefined): Node | undefined {
  if (!side || !other || !("ColumnRef" in side)) return undefined;
  const named =
    "TypeCast" in other
      ? other.TypeCast.typeName?.names
      : "A_Const" in other && other.A_Const.fval
        ? [{ String: { sval: "numeric" } }]
        : undefined;
  const name = fieldsOf(named).at(-1);
  if (!name || !(name in WIDER)) return undefined;
  const typeName = { names: [{ String: { sval: name } }], typemod: -1 };
  return { TypeCast: { arg: side, typeName } };
}

/** An order that stops early: nearest neighbours, or keys of one table for as long as they are. */
export function readOrder(
  sorts: readonly { node: Node | undefined; descending: boolean; nullsFirst: boolean }[],
  scope: Scope,
): void {
  const keys: OrderKey[] = [];
  let use: Use | undefined;
  for (const { node, descending, nullsFirst } of sorts) {
    if (keys.length === 0 && node && "A_Expr" in node) {
      const operator = fieldsOf(node.A_Expr.name).at(-1) ?? "";
      const near = keyed(node.A_Expr.lexpr, scope) ?? keyed(node.A_Expr.rexpr, scope);
      if (near && operator.includes("<->")) {
        near.use.conditions.push(...noted(near, "nearest", operator));
        return;
      }
    }
    const found = keyed(node, scope);
    if (!found || (use && found.use !== use)) break;
    use = found.use;
    keys.push({ key: found.key, descending, nullsFirst });
  }
  if (use && keys.length > 0) use.orders.push(keys);
}
