/** Btrees: equality before order or range, with what else would help. */
import type { Table } from "../catalog.ts";
import type { IndexKey, IndexSpec, Predicate, SortKey } from "../model.ts";
import {
  type Conjunction,
  columnOf,
  distinctKeys,
  distinctOf,
  keyOf,
  ordered,
  patternClass,
  sameSubject,
  selectivity,
} from "./keys.ts";

/** More keys make an index that serves one statement only. */
const MOST_KEYS = 4;
/** Columns that are only carried along, and their width together, in bytes. */
const MOST_INCLUDED = 3;
const WIDEST_INCLUDED = 64;
/** A predicate that leaves more than that saves no space worth a special index. */
const PARTIAL_AT_MOST = 0.5;
/** More values than that are no states but identities: an index for one of them is an index for one call. */
const STATES = 50;

const EQUAL = new Set(["equal", "in", "is-null"]);

interface Wanted {
  /** Looked up by a constant or a parameter; the most selective first. */
  readonly equal: readonly IndexKey[];
  /** Looked up by another table's column. */
  readonly joined: readonly IndexKey[];
  readonly ranges: readonly IndexKey[];
  readonly sort: readonly IndexKey[];
  readonly group: readonly IndexKey[];
}

/** A range also of texts by their beginning; what may turn out to be a prefix is taken for one. */
function rangeKey({ table }: Conjunction, predicate: Predicate): IndexKey | undefined {
  const { comparison, operator } = predicate;
  if (comparison === "range" || comparison === "is-not-null") return keyOf(predicate);
  // `elem <@ range` is a range of elements to PostgreSQL from 17 on.
  if (comparison === "operator" && operator === "<@")
    return ["D", "N"].includes(columnOf(table, predicate)?.category ?? "")
      ? keyOf(predicate)
      : undefined;
  const unknown = comparison === "like" && operator === "~~" && predicate.constant === undefined;
  if (comparison !== "prefix" && !unknown) return undefined;
  const operatorClass = patternClass(table, predicate);
  return keyOf(predicate, operatorClass === undefined ? {} : { operatorClass });
}

function sortKey({ descending, nulls, ...subject }: SortKey): IndexKey {
  return keyOf(subject, {
    ...(descending ? { descending } : {}),
    ...(nulls === undefined ? {} : { nulls }),
  });
}

/** An index is read from its end as well: where that needs no directions at all, it is written so. */
function simplest(keys: readonly IndexKey[]): readonly IndexKey[] {
  const reversible = keys.every(({ descending, nulls }) => descending && nulls === undefined);
  return reversible ? keys.map((key) => keyOf(key)) : keys;
}

/** A join by a unique column has its index, and a longer one finds no other rows. */
function isUnique(table: Table, { column }: Predicate): boolean {
  return table.indexes.some(
    ({ unique, valid, spec: { keys, where } }) =>
      unique && valid && where === undefined && keys.length === 1 && keys[0]?.column === column,
  );
}

function wanted(conjunction: Conjunction): Wanted {
  const { access, table, predicates, whole } = conjunction;
  const usable = predicates.filter((predicate) => ordered(table, predicate));
  const equals = usable.filter(({ comparison }) => EQUAL.has(comparison));
  const equal = equals
    .filter(({ joins }) => joins === undefined)
    .toSorted((a, b) => distinctOf(table, b) - distinctOf(table, a));
  const sort = access.sort.some(({ distanceTo }) => distanceTo !== undefined) ? [] : access.sort;
  // Rows that are equal in a column are in its order anyway.
  const free = sort.filter((key) => !equal.some((fixed) => sameSubject(fixed, key)));
  const group = access.group.map((column) => ({ column }));
  return {
    equal: distinctKeys(equal.map((predicate) => keyOf(predicate))),
    joined: distinctKeys(
      equals
        .filter((predicate) => predicate.joins !== undefined && !isUnique(table, predicate))
        .map((predicate) => keyOf(predicate)),
    ),
    ranges: distinctKeys(usable.flatMap((predicate) => rangeKey(conjunction, predicate) ?? [])),
    sort: whole ? simplest(free.map(sortKey)) : [],
    group: whole ? group.filter((key) => !equal.some((fixed) => sameSubject(fixed, key))) : [],
  };
}

/** All sensible orders of keys for one conjunction. */
function keyLists({
  equal,
  joined,
  ranges,
  sort,
  group,
}: Wanted): readonly (readonly IndexKey[])[] {
  const some = equal.length > 0;
  const lists: (readonly IndexKey[])[] = [
    ...[...equal, ...joined, ...ranges].map((key) => [key]),
    equal,
    ...ranges.map((range) => [...equal, range]),
    [...equal, ...sort],
    ...ranges.map((range) => [...equal, ...sort, range]),
    [...equal, ...group],
    ...joined.flatMap((join) => [
      [...equal, join],
      [join, ...equal],
      ...ranges.flatMap((range) => [[join, range], ...(some ? [[...equal, join, range]] : [])]),
      ...(sort.length > 0 ? [[join, ...sort]] : []),
    ]),
  ];
  if (joined.length > 1) lists.push(joined, [...equal, ...joined]);
  return lists
    .map((list) => distinctKeys(list))
    .filter((list) => list.length > 0 && list.length <= MOST_KEYS);
}

/** Whether the index's own predicate says all that is asked of that column. */
function isSaid({ where }: IndexSpec, name: string, predicates: readonly Predicate[]): boolean {
  const own = predicates.filter(({ column }) => column === name);
  return (
    where !== undefined &&
    own.length > 0 &&
    own.every(({ condition }) => condition !== undefined && where.includes(condition))
  );
}

/** Carries along what the statement reads besides, so that the table isn't visited. */
function covering(
  spec: IndexSpec,
  { access, table, predicates }: Conjunction,
): readonly IndexSpec[] {
  if (access.reads === undefined || access.writes !== undefined) return [];
  if (spec.keys.some(({ column }) => column === undefined)) return [];
  const held = new Set(spec.keys.map(({ column }) => column));
  const include = access.reads.filter((name) => !held.has(name) && !isSaid(spec, name, predicates));
  // What rows are looked up by belongs among the keys.
  const looked = predicates.filter(({ comparison }) => EQUAL.has(comparison));
  if (looked.some(({ column }) => column !== undefined && include.includes(column))) return [];
  const width = include.reduce(
    (sum, column) => sum + (columnOf(table, { column })?.statistics?.averageWidth ?? 8),
    0,
  );
  const fits = include.length <= MOST_INCLUDED && width <= WIDEST_INCLUDED;
  return include.length > 0 && fits ? [{ ...spec, include }] : [];
}

/** Constants of the text alone: a parameter's value of today says nothing of tomorrow's. */
function conditionsOf({ predicates, table }: Conjunction): readonly Predicate[] {
  return predicates.filter((predicate) => {
    const { condition, comparison, or } = predicate;
    if (condition === undefined || or !== undefined) return false;
    const states = distinctOf(table, predicate) <= STATES;
    if (comparison === "equal" && !states) return false;
    if (!["equal", "is-null", "is-not-null", "filter"].includes(comparison)) return false;
    const share = selectivity(table, predicate);
    return share === undefined ? comparison !== "filter" || states : share <= PARTIAL_AT_MOST;
  });
}

function specOf({ table }: Conjunction, keys: readonly IndexKey[], where?: string): IndexSpec {
  return {
    schema: table.schema,
    table: table.name,
    method: "btree",
    keys,
    include: [],
    ...(where === undefined ? {} : { where }),
  };
}

/** The predicate's own column needs no key: it is the same in all rows, or was only a filter. */
function partial(conjunction: Conjunction): readonly IndexSpec[] {
  const conditions = conditionsOf(conjunction);
  const sets = [...conditions.map((one) => [one]), ...(conditions.length > 1 ? [conditions] : [])];
  return sets.flatMap((set) => {
    const where = set.map(({ condition }) => condition).join(" AND ");
    const rest = {
      ...conjunction,
      predicates: conjunction.predicates.filter((predicate) => !set.includes(predicate)),
    };
    const lists = keyLists(wanted(rest));
    const own = set.filter((predicate) => ordered(conjunction.table, predicate));
    return (lists.length > 0 ? lists : [own.slice(0, 1).map((one) => keyOf(one))])
      .filter((keys) => keys.length > 0)
      .map((keys) => specOf(conjunction, keys, set.length > 1 ? bracketed(set) : where));
  });
}

function bracketed(set: readonly Predicate[]): string {
  return set.map(({ condition }) => `(${condition})`).join(" AND ");
}

export function btrees(conjunction: Conjunction): readonly IndexSpec[] {
  const plain = keyLists(wanted(conjunction)).map((keys) => specOf(conjunction, keys));
  const all = [...plain, ...partial(conjunction)];
  return [...all, ...all.flatMap((spec) => covering(spec, conjunction))];
}
