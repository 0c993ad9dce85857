/** Index definitions as SQL. */
import { createHash } from "node:crypto";
import { QuoteUtils } from "pgsql-deparser";
import type { IndexKey, IndexSpec } from "./model.ts";

/** PostgreSQL's NAMEDATALEN, less the zero at its end, in bytes. */
export const LONGEST_NAME = 63;

/** Quoted where it has to be. */
export function quote(name: string): string {
  return QuoteUtils.quoteIdentifier(name);
}

/** `DROP INDEX CONCURRENTLY …`, without a semicolon. */
export function dropIndexSql(schema: string, name: string): string {
  return `DROP INDEX CONCURRENTLY ${quote(schema)}.${quote(name)}`;
}

/**
 * The server puts more parentheses around an expression than anybody wants to read. Those in a text
 * constant count for nothing.
 */
export function bare(expression: string): string {
  if (!expression.startsWith("(") || !expression.endsWith(")")) return expression;
  let depth = 0;
  let seen = 0;
  for (const [token] of expression.matchAll(/'(?:[^']|'')*'|"(?:[^"]|"")*"|[\s\S]/g)) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    seen += token.length;
    if (depth === 0 && seen < expression.length) return expression;
  }
  return bare(expression.slice(1, -1));
}

function keySql(key: IndexKey): string {
  const { column, expression, collation, operatorClass, descending, nulls } = key;
  return [
    column === undefined ? `(${expression})` : quote(column),
    collation === undefined ? "" : `COLLATE ${collation}`,
    operatorClass ?? "",
    descending ? "DESC" : "",
    nulls === undefined ? "" : `NULLS ${nulls.toUpperCase()}`,
  ]
    .filter((part) => part !== "")
    .join(" ");
}

function definition(index: IndexSpec): string {
  const include =
    index.include.length === 0 ? "" : ` INCLUDE (${index.include.map(quote).join(", ")})`;
  const where = index.where === undefined ? "" : ` WHERE ${index.where}`;
  const on = `${quote(index.schema)}.${quote(index.table)}`;
  return `ON ${on} USING ${index.method} (${index.keys.map(keySql).join(", ")})${include}${where}`;
}

/** `CREATE INDEX [CONCURRENTLY] name ON schema.table USING …`, without a semicolon. */
export function createIndexSql(
  index: IndexSpec,
  name: string,
  { concurrently = false }: { readonly concurrently?: boolean } = {},
): string {
  return `CREATE INDEX ${concurrently ? "CONCURRENTLY " : ""}${quote(name)} ${definition(index)}`;
}

/** What people see first: the table and its keys, as far as there is room. */
function stem(index: IndexSpec): string {
  const keys = index.keys.map(({ column, expression }) => column ?? expression ?? "");
  return [index.table, ...keys]
    .join("_")
    .replaceAll(/[^\p{L}\p{N}]+/gu, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase();
}

/** Cut to whole characters of at most that many bytes. */
export function cut(text: string, bytes: number): string {
  let kept = "";
  for (const character of text) {
    if (Buffer.byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}

/** At most 63 bytes; the same for the same index, different for different ones. */
export function indexName(index: IndexSpec): string {
  const digest = createHash("sha256").update(definition(index)).digest("hex").slice(0, 8);
  const end = `_${digest}_idx`;
  return `${cut(stem(index), LONGEST_NAME - end.length)}${end}`;
}

/** Whether both would be the same index, but for the name. */
export function sameIndex(a: IndexSpec, b: IndexSpec): boolean {
  const carried = (index: IndexSpec) => ({ ...index, include: index.include.toSorted() });
  return definition(carried(a)) === definition(carried(b));
}
