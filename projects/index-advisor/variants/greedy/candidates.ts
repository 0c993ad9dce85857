/** One- and two-column indexes, one for all that a statement asks of a table, and those of other kinds. */
import { createHash } from "node:crypto";
import type { Catalog, Table } from "./catalog.ts";
import { quoted } from "./connection.ts";
import type { Understood, Use } from "./statements.ts";

export interface Candidate {
  readonly name: string;
  readonly table: Table;
  readonly method: string;
  /** Each with its operator class and direction. */
  readonly keys: readonly string[];
  /** Everything after the index's name. */
  readonly rest: string;
}

const TEXT = new Set(["text", "character varying", "character", "citext"]);

export function candidatesOf(statement: Understood, catalog: Catalog): Candidate[] {
  const own = statement.tables.flatMap((table) =>
    forTable(
      table,
      statement.uses.filter((use) => use.table === table),
      catalog,
    ),
  );
  if (statement.kind !== "delete" && statement.kind !== "update") return own;
  // A parent's row that goes is looked for in every child (PostgreSQL manual, 5.5.5).
  const children = catalog.foreignKeys.flatMap(({ child, parent, columns }) => {
    const table = catalog.tables.find(({ oid }) => oid === child);
    return table && parent === statement.written?.oid
      ? [made(table, "btree", columns.map(quoted))]
      : [];
  });
  return [...own, ...children];
}

function forTable(table: Table, uses: readonly Use[], catalog: Catalog): Candidate[] {
  const keysOf = (...hows: Use["how"][]) => [
    ...new Set(uses.filter(({ how }) => hows.includes(how)).map(({ key }) => key)),
  ];
  const equal = keysOf("equal", "in", "join", "null");
  const ranges = keysOf("range");
  const sorts = uses.filter(({ how }) => how === "sort").map((use) => use.key + use.direction);
  const singles = [...equal, ...ranges, ...sorts];
  const lists: string[][] = singles.map((key) => [key]);
  for (const first of equal) {
    for (const second of singles) if (first !== second) lists.push([first, second]);
  }
  lists.push(equal, sorts);
  for (const range of ranges) lists.push([...equal, range], [...sorts, range]);
  lists.push([...equal, ...sorts]);
  const alone = uniqueAlone(table, catalog);
  const plain = lists
    .filter(([first = "", ...more]) => more.length === 0 || !alone.has(first))
    .map(withoutRepeats)
    .filter((keys) => keys.length > 0)
    .map((keys) => made(table, "btree", keys));
  return unique([
    ...plain,
    ...partial(table, uses),
    ...uses.flatMap((use) => special(use, catalog)),
  ]);
}

/** Rows that are always the same few: `WHERE status = 'open' AND …`. */
function partial(table: Table, uses: readonly Use[]): Candidate[] {
  const fixed = uses.filter(
    ({ how, constant }) => how === "null" || (how === "equal" && constant !== undefined),
  );
  return fixed.flatMap((use) => {
    const test = use.operator === "IS_NULL" ? "IS NULL" : "IS NOT NULL";
    const where = use.how === "null" ? `${use.key} ${test}` : `${use.key} = ${use.constant}`;
    return uses
      .filter((other) => other.key !== use.key && other.how !== "operator" && other.how !== "like")
      .map((other) => made(table, "btree", [other.key + (other.direction ?? "")], where));
  });
}

function special(use: Use, catalog: Catalog): Candidate[] {
  const { table, key, column, operator, how } = use;
  if (how === "like") {
    // An expression's type isn't known here; the server says whether it is text when the index is built.
    if (column && !TEXT.has(column.type)) return [];
    const found = [made(table, "btree", [`${key} text_pattern_ops`])];
    if (column?.bytewise) found.push(made(table, "btree", [key]));
    const prefix = /^'[^%_]/.test(use.constant ?? "''") && use.operator === "~~";
    if (catalog.extensions.has("pg_trgm") && !prefix)
      found.push(made(table, "gin", [`${key} gin_trgm_ops`]));
    return found;
  }
  if (how === "equal" && column?.type.endsWith("[]")) return [made(table, "gin", [key])];
  if (how !== "operator") return [];
  if (column?.type === "jsonb") {
    const narrow = made(table, "gin", [`${key} jsonb_path_ops`]);
    return ["@>", "@?", "@@"].includes(operator)
      ? [narrow, made(table, "gin", [key])]
      : [made(table, "gin", [key])];
  }
  return [made(table, "gin", [key]), made(table, "gist", [key])];
}

function made(table: Table, method: string, keys: readonly string[], where?: string): Candidate {
  const rest = `ON ${quoted(table.schema)}.${quoted(table.name)} USING ${method} (${keys.join(", ")})${
    where === undefined ? "" : ` WHERE ${where}`
  }`;
  const words = keys.join("_").replace(/\W+/g, "_").replace(/^_|_$/g, "");
  const digest = createHash("sha256").update(rest).digest("hex").slice(0, 8);
  // Longer names are cut off by the server at 63 bytes; letters outside of ASCII are more than one.
  const name = `${`${table.name}_${words}`.replace(/[^\x20-\x7e]/g, "x").slice(0, 48)}_${digest}`;
  return { name, table, method, keys, rest };
}

/** By its name, which ends with a digest. */
export const isOurs = (name: string) => /_[0-9a-f]{8}$/.test(name);

/** Whether another one begins with all of its keys. */
export function isPrefix(short: Candidate, long: Candidate): boolean {
  return (
    short !== long &&
    short.table === long.table &&
    short.method === "btree" &&
    long.method === "btree" &&
    short.rest.split(" WHERE ")[1] === long.rest.split(" WHERE ")[1] &&
    short.keys.every((key, at) => long.keys[at] === key)
  );
}

/** Columns of which each value is in one row only: what stands behind them in an index finds nothing more. */
function uniqueAlone({ oid }: Table, { indexes }: Catalog): Set<string> {
  const whole = indexes.filter(
    ({ table, unique, valid, where, keys }) =>
      table === oid && unique && valid && where === "" && keys.length === 1,
  );
  return new Set(
    whole.flatMap(({ keys: [key = ""] }) => {
      const column = key.replace(/( \d+){3}$/, "");
      return column.startsWith('"') ? column : quoted(column);
    }),
  );
}

export function unique(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.map((each) => [each.name, each])).values()];
}

function withoutRepeats(keys: readonly string[]): string[] {
  const column = (key: string) => key.replace(/( DESC)?( NULLS \w+)?$/, "");
  return keys.filter((key, at) => keys.findIndex((other) => column(other) === column(key)) === at);
}
