/** Names in a statement, and the columns of tables that they stand for, also through CTEs, views and subqueries. */
import type { Node } from "@pgsql/types";
import { deparseSync } from "pgsql-deparser";
import type { Key, Use } from "./shape.ts";
import { quoted } from "./sql.ts";

/** `undefined` for a column that is computed, and so can't be traced to a table. */
export type Columns = ReadonlyMap<string, Origin | undefined>;

export interface Origin {
  readonly use: Use;
  readonly column: string;
}

export class Scope {
  readonly #parent: Scope | undefined;
  readonly #tables: { readonly alias: string; readonly columns: Columns }[] = [];
  readonly #ctes = new Map<string, Columns>();

  constructor(parent?: Scope) {
    this.#parent = parent;
  }

  add(alias: string, columns: Columns): void {
    this.#tables.push({ alias, columns });
  }

  addCte(name: string, columns: Columns): void {
    this.#ctes.set(name, columns);
  }

  cte(name: string): Columns | undefined {
    return this.#ctes.get(name) ?? this.#parent?.cte(name);
  }

  /** All columns of this level, as `*` or `alias.*` means them. */
  star(alias: string | undefined): [string, Origin | undefined][] {
    return this.#tables
      .filter((table) => alias === undefined || table.alias === alias)
      .flatMap(({ columns }) => [...columns]);
  }

  resolve(fields: readonly string[]): Origin | undefined {
    const [column, alias] = fields.toReversed();
    if (column === undefined) return undefined;
    for (const table of this.#tables) {
      if ((alias === undefined || table.alias === alias) && table.columns.has(column)) {
        return table.columns.get(column);
      }
    }
    return this.#parent?.resolve(fields);
  }
}

export const fieldsOf = (fields: readonly Node[] | undefined): string[] =>
  (fields ?? []).map((field) => ("String" in field ? (field.String.sval ?? "") : "*"));

/** An expression over columns of one table. */
export interface Keyed {
  readonly use: Use;
  readonly key: Key;
}

/** What can't be part of an index's expression, or isn't known before the statement runs. */
const NO_KEY = ["ParamRef", "SubLink", "SetToDefault", "CurrentOfExpr", "RowExpr", "A_ArrayExpr"];

/** The key that an expression is, if all its columns are one table's. Its qualifiers are left out. */
export function keyed(node: Node | undefined, scope: Scope): Keyed | undefined {
  if (!node) return undefined;
  const origins: Origin[] = [];
  const bare = withBareColumns(node, scope, origins);
  const [first] = origins;
  if (!bare || !first || origins.some(({ use }) => use !== first.use)) return undefined;
  if ("ColumnRef" in node) {
    const { use, column } = first;
    return { use, key: { sql: quoted(column), columns: [column], column } };
  }
  const columns = [...new Set(origins.map(({ column }) => column))];
  return { use: first.use, key: { sql: `(${deparseSync(bare)})`, columns, column: undefined } };
}

function withBareColumns(node: Node, scope: Scope, origins: Origin[]): Node | undefined {
  let possible = true;
  const walk = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(walk);
    if (typeof part !== "object" || part === null) return part;
    if (NO_KEY.some((kind) => kind in part)) possible = false;
    if ("ColumnRef" in part) {
      const { fields } = (part as { ColumnRef: { fields?: Node[] } }).ColumnRef;
      const origin = scope.resolve(fieldsOf(fields));
      if (!origin) possible = false;
      else origins.push(origin);
      return { ColumnRef: { fields: [{ String: { sval: origin?.column ?? "" } }] } };
    }
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, walk(value)]));
  };
  const bare = walk(node) as Node;
  return possible ? bare : undefined;
}

/** Each table whose columns an expression mentions, at whatever depth. */
export function usesIn(node: unknown, scope: Scope): Set<Use> {
  const uses = new Set<Use>();
  const walk = (part: unknown): void => {
    if (Array.isArray(part)) part.forEach(walk);
    else if (typeof part === "object" && part !== null) {
      if ("ColumnRef" in part) {
        const { fields } = (part as { ColumnRef: { fields?: Node[] } }).ColumnRef;
        const use = scope.resolve(fieldsOf(fields))?.use;
        if (use) uses.add(use);
      } else Object.values(part).forEach(walk);
    }
  };
  walk(node);
  return uses;
}
