/** Whether one index can do all that another one does. */
import type { IndexKey, IndexSpec } from "../model.ts";

/**
 * Whether `longer` begins with all of `shorter`: only a btree can be asked for the beginning of its keys.
 * Uniqueness and constraints are not looked at.
 */
export function isPrefix(shorter: IndexSpec, longer: IndexSpec): boolean {
  if (shorter.method !== "btree" || longer.method !== "btree") return false;
  if (shorter.schema !== longer.schema || shorter.table !== longer.table) return false;
  if (shorter.where !== longer.where || shorter.keys.length > longer.keys.length) return false;
  if (!shorter.keys.every((key, i) => sameKey(key, longer.keys[i]))) return false;
  const carried = new Set([...longer.include, ...longer.keys.map((key) => key.column)]);
  return shorter.include.every((column) => carried.has(column));
}

function sameKey(a: IndexKey, b: IndexKey | undefined): boolean {
  return (
    b !== undefined &&
    a.column === b.column &&
    a.expression === b.expression &&
    a.collation === b.collation &&
    a.operatorClass === b.operatorClass &&
    (a.descending ?? false) === (b.descending ?? false) &&
    a.nulls === b.nulls
  );
}
