/** ORDER BY, GROUP BY, DISTINCT, and what else wants rows in an order. */
import type { Node, SelectStmt } from "@pgsql/types";
import type { SortKey } from "../model.ts";
import { stands } from "./mention.ts";
import { type Key, keyOf, keySql } from "./operands.ts";
import type { Draft, Scope } from "./scope.ts";
import { lastName, textOf } from "./tree.ts";

const DISTANCES = new Set(["<->", "<=>", "<#>", "<<->", "<->>"]);

interface Sorted {
  readonly draft: Draft;
  readonly key: SortKey;
}

/** `ORDER BY 2`, `ORDER BY alias`: what stands there in the select list. */
function meant(node: Node, statement: SelectStmt): Node {
  const list = statement.targetList ?? [];
  const at = "A_Const" in node ? list[(node.A_Const.ival?.ival ?? 0) - 1] : undefined;
  const alias =
    "ColumnRef" in node && node.ColumnRef.fields?.length === 1
      ? list.find(
          (item) => "ResTarget" in item && item.ResTarget.name === lastName(node.ColumnRef.fields),
        )
      : undefined;
  const target = at ?? alias;
  return target !== undefined && "ResTarget" in target ? (target.ResTarget.val ?? node) : node;
}

function sortedBy(node: Node, statement: SelectStmt, scope: Scope): Sorted | undefined {
  if (!("SortBy" in node) || node.SortBy.node === undefined) return undefined;
  const { sortby_dir, sortby_nulls } = node.SortBy;
  if (sortby_dir === "SORTBY_USING") return undefined;
  const by = meant(node.SortBy.node, statement);
  const near = distance(by, scope);
  if (near !== undefined) return near;
  const key = keyOf(by, scope);
  if (key === undefined) return undefined;
  const descending = sortby_dir === "SORTBY_DESC";
  const nulls = sortby_nulls === "SORTBY_NULLS_FIRST" ? "first" : "last";
  const usual = sortby_nulls === "SORTBY_NULLS_DEFAULT" || (nulls === "first") === descending;
  return {
    draft: key.draft,
    key: { ...keySql(key), descending, ...(usual ? {} : { nulls }) },
  };
}

function distance(node: Node, scope: Scope): Sorted | undefined {
  if (!("A_Expr" in node) || !DISTANCES.has(lastName(node.A_Expr.name))) return undefined;
  const { lexpr, rexpr } = node.A_Expr;
  if (lexpr === undefined || rexpr === undefined) return undefined;
  for (const [one, other] of [
    [lexpr, rexpr],
    [rexpr, lexpr],
  ] as const) {
    const key = keyOf(one, scope);
    if (key === undefined) continue;
    const { table, alias } = key.draft;
    stands(other, { role: "compared", table, alias, ...keySql(key), operator: "<->" }, scope);
    return {
      draft: key.draft,
      key: { ...keySql(key), descending: false, distanceTo: textOf(other) },
    };
  }
  return undefined;
}

/** Notes the order where all of it is one table's. */
function note(sorted: readonly (Sorted | undefined)[], limit: boolean): void {
  const [first] = sorted;
  if (first === undefined || sorted.some((one) => one?.draft !== first.draft)) return;
  if (first.draft.sort.length > 0) return;
  first.draft.sort = sorted.flatMap((one) => (one === undefined ? [] : [one.key]));
  first.draft.limit = limit;
}

export function order(statement: SelectStmt, scope: Scope): void {
  const { sortClause = [], groupClause, limitCount, distinctClause } = statement;
  const limit = limitCount !== undefined;
  if (sortClause.length > 0 && groupClause === undefined)
    note(
      sortClause.map((node) => sortedBy(node, statement, scope)),
      limit || (distinctClause ?? []).length > 0,
    );
  extreme(statement, scope);
  windows(statement, scope);
}

/** `SELECT max(x)` is the first row by `x DESC`. */
function extreme({ targetList = [], groupClause }: SelectStmt, scope: Scope): void {
  const [only, ...more] = targetList;
  if (only === undefined || more.length > 0 || groupClause !== undefined) return;
  const value = "ResTarget" in only ? only.ResTarget.val : undefined;
  if (value === undefined || !("FuncCall" in value)) return;
  const name = lastName(value.FuncCall.funcname);
  const [argument] = value.FuncCall.args ?? [];
  if ((name !== "min" && name !== "max") || argument === undefined) return;
  const key = keyOf(argument, scope);
  if (key === undefined) return;
  // The planner tries both places for NULLs: they don't count here.
  note([{ draft: key.draft, key: { ...keySql(key), descending: name === "max" } }], true);
}

/** The first window's order: rows have to come sorted by it. */
function windows(statement: SelectStmt, scope: Scope): void {
  const definitions = [
    ...(statement.windowClause ?? []),
    ...(statement.targetList ?? []).flatMap((item) => {
      const value = "ResTarget" in item ? item.ResTarget.val : undefined;
      const over = value !== undefined && "FuncCall" in value ? value.FuncCall.over : undefined;
      return over === undefined ? [] : [{ WindowDef: over }];
    }),
  ];
  for (const node of definitions) {
    if (!("WindowDef" in node)) continue;
    const { partitionClause = [], orderClause = [] } = node.WindowDef;
    const parts = partitionClause.map((by) => ({ SortBy: { node: by } }));
    const sorted = [...parts, ...orderClause].map((by) => sortedBy(by, {}, scope));
    if (sorted.length === 0) continue;
    note(sorted, false);
    return;
  }
}

function columnsOf(keys: readonly (Key | undefined)[]): readonly [Draft, string[]] | undefined {
  const [first] = keys;
  if (first === undefined) return undefined;
  const columns: string[] = [];
  for (const key of keys) {
    if (key?.column === undefined || key.draft !== first.draft) return undefined;
    columns.push(key.column.name);
  }
  return [first.draft, columns];
}

/** GROUP BY, or DISTINCT, by columns of one table. */
export function group(statement: SelectStmt, scope: Scope): void {
  const { groupClause, distinctClause, targetList = [] } = statement;
  const listed = targetList.flatMap((item) =>
    "ResTarget" in item && item.ResTarget.val !== undefined ? [item.ResTarget.val] : [],
  );
  // Plain DISTINCT is one empty node; DISTINCT ON names what it is on.
  const on = (distinctClause ?? []).filter((node) => Object.keys(node).length > 0);
  const by = groupClause ?? (distinctClause === undefined ? [] : on.length > 0 ? on : listed);
  const found = columnsOf(by.map((node) => keyOf(meant(node, statement), scope)));
  if (found !== undefined) found[0].group = found[1];
}
