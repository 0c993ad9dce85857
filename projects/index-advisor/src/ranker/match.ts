/** How an index's keys meet what a statement asks of one table. */
import type { Access, Candidate, IndexKey, Predicate, SortKey } from "../model.ts";

/** As numbers, for trees to split by: what a search can do best with comes first. */
const comparisons = {
  equal: 1,
  in: 2,
  "is-null": 3,
  range: 4,
  prefix: 5,
  operator: 6,
  like: 7,
  "is-not-null": 8,
  filter: 9,
} as const satisfies Record<Predicate["comparison"], number>;

/** 0 is none. Those that one operator class can answer and another can't have numbers of their own. */
const operators: Readonly<Record<string, number>> = {
  "@>": 1,
  "<@": 2,
  "?": 3,
  "?|": 4,
  "?&": 5,
  "@@": 6,
  "&&": 7,
  "~~": 8,
  "~~*": 9,
  "<->": 10,
  "@?": 11,
};
const OTHER_OPERATOR = 12;

export interface Match {
  readonly access: Access;
  /** Keys, from the first on, that one value each is asked of. */
  readonly equalKeys: number;
  /** The key after those is searched by a range. */
  readonly rangeKey: boolean;
  /** Number of the comparison that the first key meets, of {@link comparisons}; 0: none. */
  readonly firstComparison: number;
  /** Number of its operator, of {@link operators}. */
  readonly firstOperator: number;
  /** The first key is compared with a column of another table. */
  readonly firstJoins: boolean;
  /** Sort keys that come out in order, after the equal keys. */
  readonly sorted: number;
  /** All of the wanted order comes out. */
  readonly ordered: boolean;
  /** The first keys are what is grouped by. */
  readonly grouped: boolean;
  /** Everything that the statement reads of the table is in the index. */
  readonly covers: boolean;
}

/** Of the accesses to the index's table, the one that it fits best; `undefined` where there is none. */
export function bestMatch(accesses: readonly Access[], candidate: Candidate): Match | undefined {
  const { schema, table } = candidate.index;
  return accesses
    .filter((access) => access.schema === schema && access.table === table)
    .map((access) => matchOf(access, candidate))
    .toSorted((a, b) => worth(b) - worth(a))[0];
}

function worth({ equalKeys, rangeKey, firstComparison, sorted, firstJoins }: Match): number {
  const searched = equalKeys * 4 + (rangeKey ? 2 : 0) + (firstComparison > 0 ? 2 : 0) + sorted;
  // A join's key is of use only as the inner side of a loop.
  return searched - (firstJoins ? 1 : 0);
}

function matchOf(access: Access, { index }: Candidate): Match {
  const { keys, include } = index;
  const first = keys[0] && strongest(access.predicates, keys[0]);
  const after = keys.findIndex((key) => !hasEqual(access.predicates, key));
  const equalKeys = after < 0 ? keys.length : after;
  const next = keys[equalKeys];
  const rest = keys.slice(equalKeys);
  const sorted = sortedBy(rest, access.sort);
  const carried = new Set([...keys.map(({ column }) => column), ...include]);
  return {
    access,
    equalKeys,
    rangeKey: next !== undefined && strongest(access.predicates, next)?.comparison === "range",
    firstComparison: first ? comparisons[first.comparison] : 0,
    firstOperator: operatorNumber(first?.operator ?? distanceOf(keys[0], access.sort)),
    firstJoins: first?.joins !== undefined,
    sorted,
    ordered: access.sort.length > 0 && sorted === access.sort.length,
    grouped:
      access.group.length > 0 &&
      keys.length >= access.group.length &&
      keys.slice(0, access.group.length).every(({ column }) => access.group.includes(column ?? "")),
    covers: access.reads?.every((column) => carried.has(column)) ?? false,
  };
}

interface Named {
  readonly column?: string;
  readonly expression?: string;
}

function isOf(key: Named, other: Named): boolean {
  return key.column === undefined
    ? key.expression === other.expression
    : key.column === other.column && other.expression === undefined;
}

/** A constant beats a join, which the planner may not do by a loop. */
function strongest(predicates: readonly Predicate[], key: IndexKey): Predicate | undefined {
  const rank = (p: Predicate) => comparisons[p.comparison] + (p.joins ? 0.5 : 0);
  return predicates.filter((p) => isOf(key, p)).toSorted((a, b) => rank(a) - rank(b))[0];
}

function hasEqual(predicates: readonly Predicate[], key: IndexKey): boolean {
  const found = strongest(predicates, key);
  return found !== undefined && comparisons[found.comparison] <= comparisons["is-null"];
}

/** Forwards or backwards, a btree gives all of its keys' directions or the contrary of all. */
function sortedBy(keys: readonly IndexKey[], sort: readonly SortKey[]): number {
  let backwards: boolean | undefined;
  let count = 0;
  for (const [at, wanted] of sort.entries()) {
    const key = keys[at];
    if (key === undefined || !isOf(key, wanted)) break;
    const contrary = (key.descending ?? false) !== wanted.descending;
    backwards ??= contrary;
    if (contrary !== backwards) break;
    count++;
  }
  return count;
}

function distanceOf(key: IndexKey | undefined, sort: readonly SortKey[]): string | undefined {
  const [first] = sort;
  return key && first?.distanceTo !== undefined && isOf(key, first) ? "<->" : undefined;
}

function operatorNumber(operator: string | undefined): number {
  return operator === undefined ? 0 : (operators[operator] ?? OTHER_OPERATOR);
}
