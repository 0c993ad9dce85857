/** Indexes that serve several statements, though none of them alone would want them. */
import { type Catalog, findTable, type Table } from "../catalog.ts";
import { createIndexSql } from "../ddl.ts";
import type { Candidate, IndexKey, IndexSpec, Query } from "../model.ts";
import { distinctKeys, distinctOf } from "./keys.ts";

/** Longer ones would serve none of the two well. */
const MOST_KEYS = 3;
const MOST_INCLUDED = 4;
/** Of one table and predicate, so many are looked at in pairs: those of the statements that run most often. */
const MOST_PAIRED = 100;

/** The same for the same index. */
export function identity(index: IndexSpec): string {
  return createIndexSql({ ...index, include: index.include.toSorted() }, "x");
}

/** Equal ones become one, with the statements of all. */
export function united(candidates: readonly Candidate[]): readonly Candidate[] {
  const groups = Map.groupBy(candidates, ({ index }) => identity(index));
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const statements = [...new Set(group.flatMap((one) => one.statements))].toSorted(
      (a, b) => a - b,
    );
    return first === undefined ? [] : [{ ...first, statements }];
  });
}

const subject = ({ column, expression }: IndexKey) => column ?? `(${expression})`;

/** All of one's keys are among the other's: the other, with those first. */
function reordered(narrow: IndexSpec, wide: IndexSpec): readonly IndexKey[] | undefined {
  if (narrow.keys.length >= wide.keys.length) return undefined;
  const there = new Set(wide.keys.map(subject));
  return narrow.keys.every((key) => there.has(subject(key)))
    ? distinctKeys([...narrow.keys, ...wide.keys])
    : undefined;
}

/** Both begin alike: one's keys, then the other's. */
function appended(a: IndexSpec, b: IndexSpec): readonly IndexKey[] | undefined {
  const [first] = a.keys;
  const [other] = b.keys;
  if (first === undefined || other === undefined || subject(first) !== subject(other))
    return undefined;
  const keys = distinctKeys([...a.keys, ...b.keys]);
  return keys.length > a.keys.length && keys.length <= MOST_KEYS ? keys : undefined;
}

/** Rows with equal values in all of the index's keys but the last; fewer are read as quickly as found. */
const FEW_ROWS = 20;

function isDeep({ keys }: IndexSpec, table: Table): boolean {
  const found = keys.slice(0, -1).reduce((rows, key) => rows / distinctOf(table, key), table.rows);
  return found >= FEW_ROWS;
}

/** Carrying columns along is for two that have the same keys. */
function pair(a: IndexSpec, b: IndexSpec, table: Table): readonly IndexSpec[] {
  if (a.include.length === 0 && b.include.length === 0)
    return [reordered(a, b), appended(a, b)]
      .flatMap((keys) => (keys === undefined ? [] : [{ ...a, keys }]))
      .filter((index) => isDeep(index, table));
  const include = [...new Set([...a.include, ...b.include])];
  const alike = identity({ ...a, include: [] }) === identity({ ...b, include: [] });
  return alike && include.length <= MOST_INCLUDED ? [{ ...a, include }] : [];
}

/** Of each two btrees of one table and one predicate that come from different statements. */
export function merged(
  candidates: readonly Candidate[],
  queries: readonly Query[],
  catalog: Catalog,
): readonly Candidate[] {
  const calls = new Map(queries.map((query) => [query.statement, query.calls]));
  const weight = ({ statements }: Candidate) =>
    statements.reduce((sum, statement) => sum + (calls.get(statement) ?? 0), 0);
  const found: Candidate[] = [];
  const alike = Map.groupBy(
    candidates.filter(({ index }) => index.method === "btree"),
    ({ index: { schema, table, where = "" } }) => JSON.stringify([schema, table, where]),
  );
  for (const group of alike.values()) {
    const { table: name = "", schema = "" } = group[0]?.index ?? {};
    const table = findTable(catalog, name, schema);
    if (table === undefined) continue;
    const heaviest = group.toSorted((a, b) => weight(b) - weight(a)).slice(0, MOST_PAIRED);
    for (const a of heaviest)
      for (const b of heaviest) {
        const statements = new Set([...a.statements, ...b.statements]);
        if (a === b || statements.size === 1) continue;
        for (const index of pair(a.index, b.index, table))
          found.push({ index, statements: [...statements], hypothetical: true });
      }
  }
  return found;
}
