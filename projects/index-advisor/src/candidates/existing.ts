/** What there is already. */
import type { ExistingIndex, Table } from "../catalog.ts";
import { sameIndex } from "../ddl.ts";
import type { IndexKey, IndexSpec } from "../model.ts";

/** The key as it is when the index is read from its end. */
function reversed(key: IndexKey): IndexKey {
  const { descending, nulls, ...same } = key;
  return {
    ...same,
    ...(descending ? {} : { descending: true }),
    ...(nulls === undefined ? {} : { nulls: nulls === "first" ? "last" : "first" }),
  };
}

function sameKey(a: IndexKey, b: IndexKey): boolean {
  return (
    a.column === b.column &&
    a.expression === b.expression &&
    a.operatorClass === b.operatorClass &&
    a.collation === b.collation &&
    (a.descending ?? false) === (b.descending ?? false) &&
    a.nulls === b.nulls
  );
}

function beginsWith(whole: readonly IndexKey[], begin: readonly IndexKey[]): boolean {
  return begin.every((key, n) => {
    const other = whole[n];
    return other !== undefined && sameKey(key, other);
  });
}

/** Whether the other can do all that this one would: it begins with the same keys, and carries the rest. */
export function serves(other: IndexSpec, index: IndexSpec): boolean {
  if (sameIndex(other, index)) return true;
  if (other.method !== index.method || other.where !== index.where) return false;
  const columns = new Set([...other.keys.flatMap(({ column }) => column ?? []), ...other.include]);
  if (!index.include.every((column) => columns.has(column))) return false;
  // Only a btree serves by its first keys; the others want them all.
  if (index.method !== "btree" && other.keys.length !== index.keys.length) return false;
  return beginsWith(other.keys, index.keys) || beginsWith(other.keys, index.keys.map(reversed));
}

/** More keys behind those of a unique index find no other rows. */
function unneeded(index: IndexSpec, { unique, spec, valid }: ExistingIndex): boolean {
  if (!unique || !valid || spec.where !== undefined || index.method !== "btree") return false;
  const begin = index.keys.slice(0, spec.keys.length);
  return (
    begin.length === spec.keys.length &&
    spec.keys.every(({ column, expression }) =>
      begin.some((key) => key.column === column && key.expression === expression),
    )
  );
}

export function isThere(index: IndexSpec, table: Table): boolean {
  return table.indexes.some(
    (existing) => (existing.valid && serves(existing.spec, index)) || unneeded(index, existing),
  );
}
