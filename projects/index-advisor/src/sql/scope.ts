/** Which table's column a name means. */
import type { ColumnRef, Node, SelectStmt } from "@pgsql/types";
import type { Catalog, Column, Table } from "../catalog.ts";
import type { Predicate, Query, SortKey } from "../model.ts";
import { names } from "./tree.ts";
import type { ParameterUse } from "./uses.ts";

/** An access that is still being written. */
export interface Draft {
  readonly table: Table;
  /** As in the statement, with a number behind it where the statement has several of that name. */
  readonly alias: string;
  readonly predicates: DraftPredicate[];
  sort: SortKey[];
  group: string[];
  limit: boolean;
  readonly reads: Set<string>;
  readsAll: boolean;
  writes?: readonly string[];
  updates?: readonly string[];
}

/** `test` is the whole condition, for a partial index; it has no parameters and names one table only. */
export type DraftPredicate = Predicate & { readonly test?: Node };

/** Where a column comes from. */
export interface Origin {
  readonly draft: Draft;
  readonly column: Column;
  /** The same column of what else a UNION is made of: a condition on the whole is one on each. */
  readonly also?: readonly Origin[];
}

/** Columns of something in FROM; without an origin where they are computed. */
export type Output = ReadonlyMap<string, Origin | undefined>;

export interface Relation {
  readonly name: string;
  readonly output: Output;
  /** A table; none for subqueries, functions and the like. */
  readonly draft?: Draft;
}

export interface Analysis {
  readonly catalog: Catalog;
  readonly drafts: Draft[];
  readonly uses: ParameterUse[];
  /** How many ORs there were until now. */
  ors: number;
  kind: Query["kind"];
  /** Here, because conditions have subqueries, and subqueries have conditions. */
  readonly select: (select: SelectStmt, scope: Scope) => Output;
}

export interface Scope {
  readonly analysis: Analysis;
  readonly parent?: Scope;
  readonly relations: Relation[];
  /** WITH's, the outer ones' too. */
  readonly withs: Map<string, Output>;
}

export function scopeOf(analysis: Analysis, parent?: Scope): Scope {
  return {
    analysis,
    relations: [],
    withs: new Map(parent?.withs),
    ...(parent === undefined ? {} : { parent }),
  };
}

export function draftOf(analysis: Analysis, table: Table, name: string): Draft {
  const same = analysis.drafts.filter(({ alias }) => alias.replace(/#\d+$/, "") === name).length;
  const draft: Draft = {
    table,
    alias: same === 0 ? name : `${name}#${same + 1}`,
    predicates: [],
    sort: [],
    group: [],
    limit: false,
    reads: new Set(),
    readsAll: false,
  };
  analysis.drafts.push(draft);
  return draft;
}

export function outputOf(draft: Draft): Output {
  return new Map(draft.table.columns.map((column) => [column.name, { draft, column }]));
}

/** A star is no column: `undefined`, like a name that nothing here has. */
export function resolve(reference: ColumnRef, scope: Scope): Origin | undefined {
  const path = names(reference.fields);
  const column = path.at(-1);
  const relation = path.at(-2);
  if (column === undefined || path.length < (reference.fields?.length ?? 0)) return undefined;
  for (let at: Scope | undefined = scope; at !== undefined; at = at.parent) {
    const found = at.relations.find(
      ({ name, output }) => output.has(column) && (relation === undefined || relation === name),
    );
    if (found !== undefined) return found.output.get(column);
  }
  return undefined;
}

/** Notes that the statement reads it; a star or a whole row reads all of its table. */
export function read(reference: ColumnRef, scope: Scope): void {
  const origin = resolve(reference, scope);
  if (origin !== undefined) {
    for (const { draft, column } of [origin, ...(origin.also ?? [])]) draft.reads.add(column.name);
    return;
  }
  const path = names(reference.fields);
  const starred = path.length < (reference.fields?.length ?? 0);
  const relation = path.at(-1);
  for (const { name, draft } of scope.relations)
    if (draft !== undefined && (relation === undefined ? starred : relation === name))
      draft.readsAll = true;
}
