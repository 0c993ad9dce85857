/** Drafts become accesses: expressions and conditions as the server writes them, or not at all. */
import type { Access, Predicate, SortKey } from "../model.ts";
import type { Settled, Trial } from "./dry-run.ts";
import type { Draft, DraftPredicate } from "./scope.ts";
import { textOf } from "./tree.ts";

/** Where an index with that expression can't be, nothing is to be said of it. */
async function predicateOf(
  { test, ...predicate }: DraftPredicate,
  draft: Draft,
  trial: Trial,
): Promise<readonly Predicate[]> {
  const { expression } = predicate;
  const settled =
    expression === undefined ? undefined : await trial.expression(draft.table, expression);
  const condition =
    test === undefined ? undefined : await trial.condition(draft.table, textOf(test));
  const known = condition === undefined ? {} : { condition };
  if (expression === undefined) return [{ ...predicate, ...known }];
  if (settled === undefined) return [];
  return [{ ...predicate, expression: settled.sql, type: settled.type, ...known }];
}

async function sortOf(draft: Draft, trial: Trial): Promise<readonly SortKey[]> {
  const keys: SortKey[] = [];
  for (const key of draft.sort) {
    const settled: Settled | undefined =
      key.expression === undefined
        ? undefined
        : await trial.expression(draft.table, key.expression);
    // An order with one key that can't be indexed can't be had at all.
    if (key.expression !== undefined && settled === undefined) return [];
    keys.push(settled === undefined ? key : { ...key, expression: settled.sql });
  }
  return keys;
}

export async function accessOf(draft: Draft, trial: Trial): Promise<Access> {
  const predicates: Predicate[] = [];
  for (const predicate of draft.predicates)
    predicates.push(...(await predicateOf(predicate, draft, trial)));
  const { table, alias, group, limit, writes, updates, readsAll, reads } = draft;
  return {
    schema: table.schema,
    table: table.name,
    alias,
    predicates,
    sort: await sortOf(draft, trial),
    group,
    limit,
    ...(readsAll ? {} : { reads: [...reads] }),
    ...(writes === undefined ? {} : { writes }),
    ...(updates === undefined ? {} : { updates }),
  };
}
