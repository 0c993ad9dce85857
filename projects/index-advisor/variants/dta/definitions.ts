/** Indexes that could be: what they are over, and how that is written. */
import { createHash } from "node:crypto";
import type { OrderKey } from "./conditions.ts";

export interface Part {
  /** A column, or an expression in parentheses. */
  readonly text: string;
  readonly columns: readonly string[];
  /** Operator class and direction, as they follow the key; `""` for what a B-tree has by itself. */
  readonly suffix: string;
}

export interface Definition {
  /** With its schema, quoted. */
  readonly table: string;
  readonly method: string;
  readonly parts: readonly Part[];
}

export function plain(
  key: { readonly text: string; readonly columns: readonly string[] },
  suffix = "",
): Part {
  return { text: key.text, columns: key.columns, suffix };
}

/** A B-tree is read from either end: of the two ways to say the same, the one whose first key ascends. */
export function ordered(keys: readonly OrderKey[]): Part[] {
  const turned = keys[0]?.descending ?? false;
  return keys.map((key) => {
    const descending = key.descending !== turned;
    const nullsFirst = key.nullsFirst !== turned;
    const nulls = nullsFirst === descending ? "" : ` NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
    return plain(key, `${descending ? " DESC" : ""}${nulls}`);
  });
}

export function partsOf(parts: readonly Part[]): string {
  return parts.map(({ text, suffix }) => text + suffix).join(", ");
}

/** What follows `CREATE INDEX … ON`; the same for the same index. */
export function bodyOf({ table, method, parts }: Definition): string {
  return `${table} USING ${method} (${partsOf(parts)})`;
}

/**
 * Needs no quotes, and differs where the index does. PostgreSQL cuts names off after 63 bytes.
 * @param taken names of others, with their schemas
 */
export function nameOf(definition: Definition, taken: ReadonlySet<string> = new Set()): string {
  const body = bodyOf(definition);
  const table = definition.table.split('"."').at(-1) ?? "";
  const words = [table, ...definition.parts.flatMap(({ columns }) => columns)]
    .join("_")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  const digest = createHash("sha256").update(body).digest("hex").slice(0, 8);
  const name = `ix_${words.slice(0, 46)}_${digest}`;
  const schema = definition.table.slice(1, definition.table.indexOf('"."')).replaceAll('""', '"');
  let free = name;
  for (let n = 2; taken.has(`${schema}.${free}`); n++) free = `${name}_${n}`;
  return free;
}

export function createSql(
  definition: Definition,
  how: "" | "CONCURRENTLY ",
  name = nameOf(definition),
): string {
  return `CREATE INDEX ${how}${name} ON ${bodyOf(definition)}`;
}

export function isPrefixOf(short: Definition, long: Definition): boolean {
  return (
    short.method === "btree" &&
    long.method === "btree" &&
    short.table === long.table &&
    short.parts.length < long.parts.length &&
    short.parts.every(({ text, suffix }, at) => {
      const other = long.parts[at];
      return other?.text === text && other.suffix === suffix;
    })
  );
}
