/** Task 5. What can go, and which index does its work. */
import type { DropIndex } from "../../contract.ts";
import { type ExistingIndex, isPrefix, same } from "./indexes.ts";

export function superfluous(indexes: readonly ExistingIndex[]): DropIndex[] {
  const present = indexes.filter((index) => !index.beingBuilt);
  const invalid = present.filter((index) => !index.valid && !index.needed);
  const valid = present.filter((index) => index.valid);
  const drops: DropIndex[] = invalid.map(({ name }) => ({ name, reason: "invalid", keep: null }));
  const gone = new Set<ExistingIndex>();
  for (const index of valid) {
    if (index.needed) continue;
    // What is unique keeps rows out: only another unique one does that, too.
    const twin = (other: ExistingIndex) => same(index, other) && (other.unique || !index.unique);
    if (valid.some((other) => !gone.has(other) && twin(other) && outranks(other, index)))
      gone.add(index);
  }
  const twins = new Set(gone);
  for (const index of valid) {
    if (index.unique || index.needed || gone.has(index)) continue;
    if (valid.some((other) => isPrefix(index, other))) gone.add(index);
  }
  for (const index of gone) {
    const twin = twins.has(index)
      ? valid.find((other) => other !== index && !gone.has(other) && same(index, other))
      : undefined;
    const longer = valid.find((other) => !gone.has(other) && isPrefix(index, other));
    if (twin !== undefined) drops.push({ name: index.name, reason: "duplicate", keep: twin.name });
    else if (longer !== undefined) {
      drops.push({ name: index.name, reason: "redundant-prefix", keep: longer.name });
    }
  }
  return drops;
}

/** Of two that are the same, the one that something needs stays, then the clustered one, then the older one. */
function outranks(a: ExistingIndex, b: ExistingIndex): boolean {
  const rank = (index: ExistingIndex) =>
    (index.needed ? 4 : 0) + (index.unique ? 2 : 0) + (index.clustered ? 1 : 0);
  if (a === b) return false;
  return rank(a) === rank(b) ? BigInt(a.oid) < BigInt(b.oid) : rank(a) > rank(b);
}
