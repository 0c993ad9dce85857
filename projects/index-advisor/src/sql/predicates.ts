/** Conditions of which an index may know something. */
import type { Node } from "@pgsql/types";
import type { Predicate } from "../model.ts";
import { mention, stands } from "./mention.ts";
import {
  castNode,
  implicitCast,
  type Key,
  keyOf,
  keySql,
  mentions,
  unqualified,
} from "./operands.ts";
import { type Asked, asked, turned } from "./operators.ts";
import type { Scope } from "./scope.ts";
import { textOf } from "./tree.ts";

/** An arm of an OR. */
export interface Arm {
  readonly or: number;
  readonly arm: number;
}

/** Notes that the key is compared. */
export function compared(
  key: Key,
  { comparison, operator }: Asked,
  {
    test,
    ...more
  }: Pick<Predicate, "joins" | "constant" | "or" | "arm"> & { readonly test?: Node } = {},
): void {
  for (const each of [key, ...(key.also ?? [])]) {
    const isNamedAlike = each.column?.name === key.column?.name;
    each.draft.predicates.push({
      ...keySql(each),
      comparison,
      ...(operator === undefined ? {} : { operator }),
      ...(test === undefined || !isNamedAlike ? {} : { test }),
      ...more,
    });
  }
}

/** The condition for a partial index; nothing where it has parameters, or is of more than one table. */
export function testOf(node: Node, scope: Scope): { readonly test?: Node } {
  const { drafts, parameters, opaque } = mentions(node, scope);
  return drafts.size === 1 && !parameters && !opaque ? { test: unqualified(node) } : {};
}

/** Some condition that no index can look up. */
export function filter(node: Node, scope: Scope, arm?: Arm): void {
  const { first } = mentions(node, scope);
  const { test } = testOf(node, scope);
  if (first !== undefined && test !== undefined)
    compared(first, { comparison: "filter" }, { ...arm, test });
}

/** One side is looked up by the other. */
function lookUp(
  key: Key,
  how: Asked,
  other: Node,
  whole: Node,
  scope: Scope,
  arm: Arm | undefined,
): boolean {
  const there = mentions(other, scope);
  if (there.drafts.has(key.draft)) return false;
  const { first, parameters, opaque } = there;
  const cast = key.column === undefined ? undefined : implicitCast(key.column, other, scope);
  const asked =
    key.column === undefined || cast === undefined
      ? key
      : { draft: key.draft, expression: castNode(key.column, cast) };
  stands(
    other,
    { role: "compared", table: key.draft.table, alias: key.draft.alias, ...keySql(key), ...how },
    scope,
  );
  compared(asked, how, {
    ...arm,
    ...(first === undefined
      ? {}
      : { joins: { alias: first.draft.alias, column: first.column.name } }),
    ...(first === undefined && !parameters && !opaque ? { constant: textOf(other) } : {}),
    ...testOf(whole, scope),
  });
  return true;
}

/** `left OPERATOR right`, either side of which may be the column. */
export function compare(
  left: Node,
  operator: string,
  right: Node,
  whole: Node,
  scope: Scope,
  arm?: Arm,
): void {
  const l = keyOf(left, scope);
  const r = keyOf(right, scope);
  const how = asked(operator, right);
  const back = turned(operator);
  const turnedHow = back === undefined ? undefined : asked(back, left);
  // Before it is only mentioned: what a parameter is compared with says more of it.
  const forth = l !== undefined && how !== undefined && lookUp(l, how, right, whole, scope, arm);
  const backwards =
    r !== undefined && turnedHow !== undefined && lookUp(r, turnedHow, left, whole, scope, arm);
  if (!forth && !backwards) filter(whole, scope, arm);
  mention(left, scope);
  mention(right, scope);
}

/** `left = ANY (right)`, `left IN (…)`. */
export function among(left: Node, right: Node, whole: Node, scope: Scope, arm?: Arm): void {
  const key = keyOf(left, scope);
  if (key === undefined || !lookUp(key, { comparison: "in" }, right, whole, scope, arm))
    filter(whole, scope, arm);
  mention(left, scope);
  mention(right, scope);
}

/** `left OPERATOR ANY (right)` for patterns. */
export function anyOf(
  left: Node,
  operator: string,
  right: Node,
  whole: Node,
  scope: Scope,
  arm?: Arm,
): void {
  const key = keyOf(left, scope);
  const how = asked(operator, right);
  if (key !== undefined && how !== undefined) lookUp(key, how, right, whole, scope, arm);
  mention(left, scope);
  mention(right, scope);
}
