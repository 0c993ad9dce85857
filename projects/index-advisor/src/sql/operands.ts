/** The two sides of a comparison. */
import type { Node } from "@pgsql/types";
import type { Column } from "../catalog.ts";
import { type Draft, type Origin, resolve, type Scope } from "./scope.ts";
import { all, below, castTo, names, textOf } from "./tree.ts";

/** What an index could have as its key. */
export interface Key {
  readonly draft: Draft;
  readonly column?: Column;
  /** Of a column of a UNION. */
  readonly also?: readonly Origin[];
  /** Over the table's own columns, without its name before them. */
  readonly expression?: Node;
}

export interface Mentions {
  readonly drafts: ReadonlySet<Draft>;
  readonly first?: { readonly draft: Draft; readonly column: Column };
  readonly parameters: boolean;
  /** Subqueries, and names that mean no table's column. */
  readonly opaque: boolean;
}

/** The node and all below it, but for what is in subqueries: names mean something else there. */
function* outside(node: Node): Generator<Node> {
  yield node;
  if ("SubLink" in node) return;
  for (const child of below(node)) yield* outside(child);
}

export function mentions(node: Node, scope: Scope): Mentions {
  const drafts = new Set<Draft>();
  let first: Mentions["first"];
  let parameters = false;
  let opaque = false;
  for (const part of outside(node)) {
    if ("ParamRef" in part) parameters = true;
    if ("SubLink" in part) opaque = true;
    if (!("ColumnRef" in part)) continue;
    const origin = resolve(part.ColumnRef, scope);
    if (origin === undefined) opaque = true;
    else {
      drafts.add(origin.draft);
      first ??= origin;
    }
  }
  return { drafts, parameters, opaque, ...(first === undefined ? {} : { first }) };
}

/** A copy whose columns stand without their table. */
export function unqualified(node: Node): Node {
  const copy = structuredClone(node);
  for (const part of all(copy))
    if ("ColumnRef" in part) part.ColumnRef.fields = part.ColumnRef.fields?.slice(-1) ?? [];
  return copy;
}

const TEXTS = new Set(["text", "varchar"]);

/** `undefined` for what is no key: a constant, something of two tables, a parameter in it. */
export function keyOf(node: Node, scope: Scope): Key | undefined {
  if ("ColumnRef" in node) return resolve(node.ColumnRef, scope);
  if ("RowExpr" in node || "SubLink" in node || "A_Const" in node) return undefined;
  // A cast between texts changes nothing: the planner looks through it.
  if ("TypeCast" in node && TEXTS.has(castTo(node) ?? "") && node.TypeCast.arg !== undefined) {
    const inner = keyOf(node.TypeCast.arg, scope);
    if (inner?.column !== undefined && TEXTS.has(inner.column.baseType)) return inner;
  }
  const { drafts, parameters, opaque } = mentions(node, scope);
  const [draft] = drafts;
  if (draft === undefined || drafts.size > 1 || parameters || opaque) return undefined;
  return renamed(node, scope) ? undefined : { draft, expression: unqualified(node) };
}

/** A subquery may give its columns other names; their expressions are not written again for the table. */
function renamed(node: Node, scope: Scope): boolean {
  return all(node).some(
    (part) =>
      "ColumnRef" in part &&
      resolve(part.ColumnRef, scope)?.column.name !== names(part.ColumnRef.fields).at(-1),
  );
}

const WHOLE = new Set(["int2", "int4", "int8"]);

/** Of a constant or a column; `undefined` where it takes the type of the other side, or isn't known. */
function typeOf(node: Node, scope: Scope): string | undefined {
  if ("TypeCast" in node) return castTo(node);
  if ("ColumnRef" in node) return resolve(node.ColumnRef, scope)?.column.baseType;
  if ("A_Const" in node && node.A_Const.fval !== undefined)
    return /^\d{1,18}$/.test(node.A_Const.fval.fval ?? "") ? "int8" : "numeric";
  if ("List" in node || "A_ArrayExpr" in node)
    return [...below(node)].map((item) => typeOf(item, scope)).find((type) => type === "numeric");
  return undefined;
}

/**
 * A column whose type the server changes to the other side's before it compares: only an index on the
 * changed column helps. It follows the operators that there are: none compares an integer with a numeric
 * or a float, nor a `char(n)` with a text.
 */
export function implicitCast(column: Column, other: Node, scope: Scope): string | undefined {
  const type = typeOf(other, scope);
  if (WHOLE.has(column.baseType))
    if (type === "numeric" || type === "float8" || type === "float4")
      return type === "numeric" ? "numeric" : "double precision";
  if (column.baseType === "numeric" && (type === "float8" || type === "float4"))
    return "double precision";
  if (column.baseType === "bpchar" && (type === "text" || type === "varchar")) return "text";
  return undefined;
}

/** `CAST(column AS type)`. */
export function castNode(column: Column, type: string): Node {
  const internal = type === "double precision" ? "float8" : type;
  return {
    TypeCast: {
      arg: { ColumnRef: { fields: [{ String: { sval: column.name } }] } },
      typeName: { names: [{ String: { sval: internal } }], typemod: -1 },
    },
  };
}

export function keySql(key: Key): { readonly column: string } | { readonly expression: string } {
  if (key.column !== undefined) return { column: key.column.name };
  return { expression: key.expression === undefined ? "" : textOf(key.expression) };
}
