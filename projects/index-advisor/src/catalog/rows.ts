/** Rows of the catalogue, as the model has them. */
import type { Column, ExistingIndex } from "../catalog.ts";
import { bare } from "../ddl.ts";
import type { AccessMethod, IndexKey } from "../model.ts";
import type { ColumnRow, IndexRow, KeyRow } from "./queries.ts";

const DESCENDING = 1;
const NULLS_FIRST = 2;

export function columnOf(row: ColumnRow): { readonly table: number; readonly column: Column } {
  const { table, name, type, baseType, category, element, bytewise, notNull } = row;
  const { nullFraction, distinct, averageWidth, correlation } = row;
  const described = { name, type, baseType, category, bytewise, notNull };
  const array = element === null ? {} : { element };
  if (nullFraction === null || distinct === null || averageWidth === null)
    return { table, column: { ...described, ...array } };
  const statistics = {
    nullFraction,
    distinct,
    averageWidth,
    commonValues: row.commonValues ?? [],
    commonFrequencies: row.commonFrequencies ?? [],
    histogram: row.histogram ?? [],
    commonElements: row.commonElements ?? [],
    ...(correlation === null ? {} : { correlation }),
  };
  return { table, column: { ...described, ...array, statistics } };
}

/** An expression's own collation stands nowhere; the definition names only one that differs from it. */
function isOwn({ column, expression }: KeyRow, definition: string): boolean {
  return column === null && !definition.includes(`${expression} COLLATE `);
}

function keyOf(row: KeyRow, definition: string): IndexKey {
  const descending = (row.option & DESCENDING) !== 0;
  const nullsFirst = (row.option & NULLS_FIRST) !== 0;
  return {
    ...(row.column === null ? { expression: bare(row.expression) } : { column: row.column }),
    ...(row.defaultClass ? {} : { operatorClass: row.operatorClass }),
    ...(row.collation === null || isOwn(row, definition) ? {} : { collation: row.collation }),
    ...(descending ? { descending } : {}),
    // A descending key has its NULLs first unless told otherwise.
    ...(descending === nullsFirst ? {} : { nulls: nullsFirst ? "first" : "last" }),
  };
}

export function indexOf(row: IndexRow): { readonly table: number; readonly index: ExistingIndex } {
  const { table, tableName, method, keys, include, where, ...flags } = row;
  const spec = {
    schema: row.schema,
    table: tableName,
    // A method of some extension's is none that is ever proposed, so it equals no candidate's.
    method: method as AccessMethod,
    keys: keys.map((key) => keyOf(key, row.definition)),
    include,
    ...(where === null ? {} : { where: bare(where) }),
  };
  return { table, index: { ...flags, spec } };
}
