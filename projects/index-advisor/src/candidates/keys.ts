/** Which keys an access wants, and what is known of them. */
import type { Column, ColumnStatistics, Table } from "../catalog.ts";
import type { Access, IndexKey, Predicate } from "../model.ts";

/** A column or an expression, whatever is asked of it. */
export interface Subject {
  readonly column?: string;
  readonly expression?: string;
}

export function sameSubject(a: Subject, b: Subject): boolean {
  return a.column === b.column && a.expression === b.expression;
}

export function columnOf(table: Table, { column }: Subject): Column | undefined {
  return table.columns.find(({ name }) => name === column);
}

export function typeOf(table: Table, predicate: Predicate): string {
  return columnOf(table, predicate)?.baseType ?? predicate.type ?? "";
}

export function statisticsOf(table: Table, subject: Subject): ColumnStatistics | undefined {
  return columnOf(table, subject)?.statistics;
}

/** Types without an order, or with one that nobody asks for. */
const UNORDERED = new Set(
  "json jsonb xml point line lseg box path polygon circle tsvector tsquery xid cid".split(" "),
);

/** An entry of a btree holds 2704 bytes at most; a wide one makes the tree deep long before. */
const WIDEST = 500;

/** Whether a btree can have it as a key, and sensibly so. */
export function ordered(table: Table, subject: Subject & { readonly type?: string }): boolean {
  const column = columnOf(table, subject);
  const type = column?.baseType ?? subject.type ?? "";
  return !UNORDERED.has(type) && (column?.statistics?.averageWidth ?? 0) <= WIDEST;
}

const PATTERN_CLASSES: Readonly<Record<string, string>> = {
  text: "text_pattern_ops",
  varchar: "varchar_pattern_ops",
  bpchar: "bpchar_pattern_ops",
};

/** Under the C collation the usual operators serve patterns, too. An expression has its columns' collation. */
export function patternClass(table: Table, predicate: Predicate): string | undefined {
  const column = columnOf(table, predicate);
  const texts = table.columns.filter(({ category }) => category === "S");
  const bytewise = column?.bytewise ?? texts.every((text) => text.bytewise);
  return bytewise ? undefined : PATTERN_CLASSES[typeOf(table, predicate)];
}

export function keyOf(
  { column, expression }: Subject,
  more: Omit<IndexKey, keyof Subject> = {},
): IndexKey {
  return {
    ...(column === undefined ? {} : { column }),
    ...(expression === undefined ? {} : { expression }),
    ...more,
  };
}

/** In the order of the list; of two for one subject the first stays. */
export function distinctKeys(keys: readonly IndexKey[]): readonly IndexKey[] {
  return keys.filter((key, n) => keys.findIndex((other) => sameSubject(other, key)) === n);
}

/** Without statistics, as the planner thinks: 200 different values. */
const DISTINCT = 200;

export function distinctOf(table: Table, subject: Subject): number {
  return statisticsOf(table, subject)?.distinct ?? DISTINCT;
}

/** The content of a text constant, or of a number; for comparing with statistics' values. */
function plain(constant: string): string {
  return /^'((?:[^']|'')*)'/.exec(constant)?.[1]?.replaceAll("''", "'") ?? constant;
}

/** Share of the rows that a predicate with a constant leaves; `undefined` where statistics don't tell. */
export function selectivity(table: Table, predicate: Predicate): number | undefined {
  const statistics = statisticsOf(table, predicate);
  if (statistics === undefined) return undefined;
  const { nullFraction, commonValues, commonFrequencies, distinct } = statistics;
  const { comparison, constant, operator } = predicate;
  if (comparison === "is-null") return nullFraction;
  if (comparison === "is-not-null") return 1 - nullFraction;
  if (constant === undefined) return undefined;
  const boolean = constant === "true" ? "t" : constant === "false" ? "f" : plain(constant);
  const at = commonValues.indexOf(boolean);
  const rest = 1 - nullFraction - commonFrequencies.reduce((sum, share) => sum + share, 0);
  const equal =
    at >= 0
      ? (commonFrequencies[at] ?? 0)
      : Math.max(0, rest) / Math.max(1, distinct - commonValues.length);
  if (comparison === "equal") return equal;
  if (comparison === "filter" && (operator === "<>" || operator === "!="))
    return 1 - nullFraction - equal;
  return undefined;
}

/** One conjunction: what all has to hold of a row for one index scan. */
export interface Conjunction {
  readonly access: Access;
  readonly table: Table;
  readonly predicates: readonly Predicate[];
  /** Whole, as against one arm of an OR: an order can be had of it. */
  readonly whole: boolean;
}

/** The access without its ORs, and each arm of them together with what holds anyway. */
export function conjunctionsOf(access: Access, table: Table): readonly Conjunction[] {
  const always = access.predicates.filter(({ or }) => or === undefined);
  const arms = Map.groupBy(
    access.predicates.filter(({ or }) => or !== undefined),
    ({ or, arm }) => `${or} ${arm}`,
  );
  return [
    { access, table, predicates: always, whole: true },
    ...[...arms.values()].flatMap((arm) => [
      { access, table, predicates: arm, whole: false },
      ...(always.length > 0
        ? [{ access, table, predicates: [...always, ...arm], whole: false }]
        : []),
    ]),
  ];
}
