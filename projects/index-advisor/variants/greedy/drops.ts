/** Indexes that do nothing that another one doesn't do as well. */
import type { DropIndex } from "../../contract.ts";
import type { ExistingIndex } from "./catalog.ts";

const named = ({ schema, name }: ExistingIndex) => `${schema}.${name}`;

const starts = (long: readonly string[], short: readonly string[]) =>
  short.every((key, at) => long[at] === key);

const same = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && starts(one, other);

/** Whether `other` can do all that `index` does. */
function covers(other: ExistingIndex, index: ExistingIndex): boolean {
  if (other === index || !other.valid) return false;
  if (other.table !== index.table || other.method !== index.method) return false;
  if (other.where !== index.where) return false;
  if (index.unique && !(other.unique && same(other.keys, index.keys))) return false;
  const carried = [...other.keys.map((key) => key.split(" ")[0]), ...other.include];
  if (!index.include.every((column) => carried.includes(column))) return false;
  return index.method === "btree"
    ? starts(other.keys, index.keys)
    : same(other.keys, index.keys) && same(other.include, index.include);
}

/** Of two that cover each other only one may go. */
function stays(other: ExistingIndex, index: ExistingIndex): boolean {
  if (!covers(index, other)) return true;
  return other.needed || other.oid < index.oid;
}

export function superfluous(indexes: readonly ExistingIndex[]): DropIndex[] {
  const drops: DropIndex[] = [];
  const goes = new Set<ExistingIndex>();
  for (const index of indexes) {
    if (!index.valid && !index.building && !index.needed) {
      drops.push({ name: named(index), reason: "invalid", keep: null });
      goes.add(index);
    }
  }
  const keeperOf = (index: ExistingIndex) =>
    index.needed || !index.valid
      ? undefined
      : indexes.find((other) => covers(other, index) && stays(other, index));
  for (const index of indexes) if (keeperOf(index)) goes.add(index);
  for (const index of indexes) {
    if (!index.valid || !goes.has(index)) continue;
    // Covering is transitive, so whoever covers the one that goes, too, and stays, is there.
    const keep = indexes.find((other) => covers(other, index) && !goes.has(other));
    if (!keep) continue;
    const alike =
      same(keep.keys, index.keys) &&
      same(keep.include, index.include) &&
      keep.unique === index.unique;
    drops.push({
      name: named(index),
      reason: alike ? "duplicate" : "redundant-prefix",
      keep: named(keep),
    });
  }
  return drops;
}
