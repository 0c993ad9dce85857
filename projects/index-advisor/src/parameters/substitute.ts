/** Texts with constants where the parameters were. */
import type { Node } from "@pgsql/types";
import { all, below, lastName, textOf } from "../sql/tree.ts";

/** Numbers of the parameters in it, ascending. */
export function numbersIn(node: Node): readonly number[] {
  const numbers = new Set<number>();
  for (const part of all(node)) if ("ParamRef" in part) numbers.add(part.ParamRef.number ?? 0);
  return [...numbers].toSorted((a, b) => a - b);
}

/**
 * pg_stat_statements makes `interval $1` of `interval '1 day'`, and `EXTRACT($1 FROM …)`, which no server
 * accepts; written from the tree they are `CAST($1 AS interval)` and `pg_catalog.extract($1, …)`.
 */
export function preparable(sql: string, node: Node): readonly [string, string] {
  const copy = structuredClone(node);
  for (const part of all(copy))
    if ("FuncCall" in part && lastName(part.FuncCall.funcname) === "extract")
      part.FuncCall.funcformat = "COERCE_EXPLICIT_CALL";
  return [sql, textOf(copy)];
}

/** Numbers of those that stand beside a plus or a minus. */
export function addedIn(node: Node): readonly number[] {
  return [...all(node)].flatMap((part) => {
    if (!("A_Expr" in part) || !["+", "-"].includes(lastName(part.A_Expr.name))) return [];
    const { lexpr, rexpr } = part.A_Expr;
    return [lexpr, rexpr].flatMap((side) =>
      side !== undefined && "ParamRef" in side ? [side.ParamRef.number ?? 0] : [],
    );
  });
}

/** A value of a parameter. */
export interface Value {
  /** As the type reads it; `null` for NULL. */
  readonly text: string | null;
  /** As `regtype` writes it. */
  readonly type: string;
}

/** Where the grammar wants a plain constant, or says the type anyway. */
function isPlain(parent: Node): boolean {
  return (
    "TypeCast" in parent ||
    ("FuncCall" in parent && parent.FuncCall.funcformat === "COERCE_SQL_SYNTAX")
  );
}

function places(node: Node): { at: number; number: number; plain: boolean }[] {
  const found: { at: number; number: number; plain: boolean }[] = [];
  const visit = (part: Node): void => {
    for (const child of below(part)) {
      if ("ParamRef" in child)
        found.push({
          at: child.ParamRef.location ?? 0,
          number: child.ParamRef.number ?? 0,
          plain: isPlain(part),
        });
      visit(child);
    }
  };
  visit(node);
  return found.toSorted((a, b) => a.at - b.at);
}

function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // A backslash is itself only with standard_conforming_strings, which an old application may have off.
  return text.includes("\\") ? `E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}

/** @param from where the statement's text begins within what was parsed, in bytes */
export function substitute(
  sql: string,
  node: Node,
  values: ReadonlyMap<number, Value>,
  from: number,
): string {
  const bytes = Buffer.from(sql);
  let text = "";
  let done = 0;
  for (const { at, number, plain } of places(node)) {
    const value = values.get(number);
    text += bytes.subarray(done, at - from).toString();
    if (value === undefined || value.text === null) text += "NULL";
    else text += plain ? literal(value.text) : `${literal(value.text)}::${value.type}`;
    done = at - from + `$${number}`.length;
  }
  return text + bytes.subarray(done).toString();
}
