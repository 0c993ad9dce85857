/** Hash, BRIN, GIN and GiST: for what a btree can't do, or does at a price. */
import type { Catalog, Table } from "../catalog.ts";
import { quote } from "../ddl.ts";
import type { AccessMethod, IndexKey, IndexSpec, Predicate } from "../model.ts";
import { type Conjunction, columnOf, keyOf, type Subject, statisticsOf, typeOf } from "./keys.ts";

/** Of a text, in bytes: below it a btree is as small, and can do more. */
const LONG_TEXT = 64;
/** Between values and places: BRIN knows ranges of pages only. */
const IN_ORDER = 0.95;
/** 8 MiB: less is read faster than BRIN's ranges are compared. */
const BIG_PAGES = 1024;

const TEXTS = new Set(["text", "varchar", "bpchar"]);
const SHAPES = new Set(["point", "box", "polygon", "circle"]);
const NETWORKS = new Set(["inet", "cidr"]);
const KEY_OPERATORS = new Set(["?", "?|", "?&"]);
const DOCUMENT_OPERATORS = new Set(["@>", "@?", "@@", ...KEY_OPERATORS]);
const ARRAY_OPERATORS = new Set(["@>", "<@", "&&"]);
const SIMILARITIES = new Set(["%", "%>", "<%"]);

function spec(table: Table, method: AccessMethod, keys: readonly IndexKey[]): IndexSpec {
  return { schema: table.schema, table: table.name, method, keys, include: [] };
}

/** An operator class of an extension that is installed; with its schema, where that isn't looked in. */
function classOf(catalog: Catalog, extension: string, name: string): string | undefined {
  const schema = catalog.extensions.get(extension)?.schema;
  if (schema === undefined) return undefined;
  return catalog.searchPath.includes(schema) ? name : `${quote(schema)}.${name}`;
}

function withClass(subject: Subject, operatorClass: string | undefined): readonly IndexKey[] {
  return operatorClass === undefined ? [] : [keyOf(subject, { operatorClass })];
}

function isArray(table: Table, predicate: Predicate): boolean {
  return columnOf(table, predicate)?.category === "A" || (predicate.type ?? "").startsWith("_");
}

function isRange(table: Table, predicate: Predicate): boolean {
  return columnOf(table, predicate)?.category === "R" || /range$/.test(predicate.type ?? "");
}

/** Which operators the whole workload asks of one key. */
export type Asked = (table: Table, subject: Subject) => ReadonlySet<string>;

function gin(table: Table, predicate: Predicate, catalog: Catalog, asked: Asked): IndexSpec[] {
  const { comparison, operator = "" } = predicate;
  const type = typeOf(table, predicate);
  const keys: IndexKey[] = [];
  if (comparison === "operator" && type === "jsonb" && DOCUMENT_OPERATORS.has(operator)) {
    // jsonb_path_ops is smaller and quicker, but has no keys of their own.
    const whole = [...asked(table, predicate)].some((one) => KEY_OPERATORS.has(one));
    keys.push(keyOf(predicate, whole ? {} : { operatorClass: "jsonb_path_ops" }));
  } else if (comparison === "operator" && type === "tsvector" && operator === "@@")
    keys.push(keyOf(predicate));
  else if (comparison === "operator" && isArray(table, predicate) && ARRAY_OPERATORS.has(operator))
    keys.push(keyOf(predicate));
  else if (TEXTS.has(type) && (comparison === "like" || SIMILARITIES.has(operator)))
    keys.push(...withClass(predicate, classOf(catalog, "pg_trgm", "gin_trgm_ops")));
  return keys.map((key) => spec(table, "gin", [key]));
}

/** Types of scalars that btree_gist lets stand beside a range. */
const SCALARS = new Set(
  "int2 int4 int8 float4 float8 numeric text varchar bpchar uuid date timestamp timestamptz bool".split(
    " ",
  ),
);

function gist({ table, predicates }: Conjunction, catalog: Catalog): IndexSpec[] {
  const found: IndexSpec[] = [];
  for (const predicate of predicates) {
    const { comparison, operator = "" } = predicate;
    const type = typeOf(table, predicate);
    const ranged = isRange(table, predicate) && comparison === "operator";
    const shape = SHAPES.has(type) && comparison === "operator";
    if (ranged || shape) found.push(spec(table, "gist", [keyOf(predicate)]));
    if (NETWORKS.has(type) && comparison === "operator" && operator !== "")
      found.push(spec(table, "gist", withClass(predicate, "inet_ops")));
    if (!ranged || !catalog.extensions.has("btree_gist")) continue;
    const equal = predicates.filter(
      (other) => other.comparison === "equal" && SCALARS.has(typeOf(table, other)),
    );
    if (equal.length > 0)
      found.push(spec(table, "gist", [...equal.map((one) => keyOf(one)), keyOf(predicate)]));
  }
  return found;
}

/** `ORDER BY key <-> value`. */
function nearest({ access, table, whole }: Conjunction, catalog: Catalog): IndexSpec[] {
  const [key, ...more] = whole ? access.sort : [];
  if (key?.distanceTo === undefined || more.length > 0) return [];
  const type = columnOf(table, key)?.baseType ?? "";
  const keys = TEXTS.has(type)
    ? withClass(key, classOf(catalog, "pg_trgm", "gist_trgm_ops"))
    : SHAPES.has(type) || catalog.extensions.has("btree_gist")
      ? [keyOf(key)]
      : [];
  return keys.length > 0 ? [spec(table, "gist", keys)] : [];
}

function hash(table: Table, predicate: Predicate): IndexSpec[] {
  const { comparison, joins } = predicate;
  const wide = (statisticsOf(table, predicate)?.averageWidth ?? 0) >= LONG_TEXT;
  const equal = (comparison === "equal" || comparison === "in") && joins === undefined;
  return equal && wide && TEXTS.has(typeOf(table, predicate))
    ? [spec(table, "hash", [keyOf(predicate)])]
    : [];
}

function brin(table: Table, predicate: Predicate): IndexSpec[] {
  const correlation = statisticsOf(table, predicate)?.correlation ?? 0;
  const inOrder = Math.abs(correlation) >= IN_ORDER && table.pages >= BIG_PAGES;
  return inOrder && predicate.comparison === "range"
    ? [spec(table, "brin", [keyOf(predicate)])]
    : [];
}

export function specials(
  conjunction: Conjunction,
  catalog: Catalog,
  asked: Asked,
): readonly IndexSpec[] {
  const { table, predicates } = conjunction;
  return [
    ...predicates.flatMap((predicate) => [
      ...gin(table, predicate, catalog, asked),
      ...hash(table, predicate),
      ...brin(table, predicate),
    ]),
    ...gist(conjunction, catalog),
    ...nearest(conjunction, catalog),
  ];
}
