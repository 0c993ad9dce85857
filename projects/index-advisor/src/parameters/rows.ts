/** Values that go together, because one row has them. */
import type pg from "pg";
import type { Catalog, Column, Table } from "../catalog.ts";
import { quote } from "../ddl.ts";
import type { ParameterUse } from "../sql/uses.ts";
import { sampled } from "./values.ts";

const nameOf = ({ schema, name }: Table) => `${quote(schema)}.${quote(name)}`;

/**
 * Several columns that are compared for equality: independent values would meet no row.
 *
 * @returns the others' values in a row that has this one; `undefined` without such a row
 * @throws pg's errors
 */
export async function companions(
  scratch: pg.Client,
  table: Table,
  lead: { readonly column: string; readonly text: string },
  columns: readonly string[],
): Promise<ReadonlyMap<string, string> | undefined> {
  const list = columns.map((column, n) => `${quote(column)}::text AS c${n}`).join(", ");
  const present = columns.map((column) => ` AND ${quote(column)} IS NOT NULL`).join("");
  const { rows } = await scratch.query<Record<string, string>>(
    `SELECT ${list} FROM ${nameOf(table)} WHERE ${quote(lead.column)} = $1${present} LIMIT 1`,
    [lead.text],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  return new Map(columns.map((column, n) => [column, row[`c${n}`] ?? ""]));
}

/**
 * A row that may be deleted: no row of another table refers to it, but by a key that would go along.
 *
 * @returns `undefined` where nothing refers to that column, or something to all of its values
 * @throws pg's errors
 */
export async function childless(
  scratch: pg.Client,
  table: Table,
  column: string,
  catalog: Catalog,
): Promise<string | undefined> {
  const keys = catalog.foreignKeys.filter(
    ({ parentSchema, parentTable, parentColumns, cascades }) =>
      parentSchema === table.schema &&
      parentTable === table.name &&
      parentColumns.length === 1 &&
      parentColumns[0] === column &&
      !cascades,
  );
  if (keys.length === 0) return undefined;
  const alone = keys.map(
    (key) =>
      `NOT EXISTS (SELECT FROM ${quote(key.schema)}.${quote(key.table)} AS child WHERE child.${quote(key.columns[0] ?? "")} = parent.${quote(column)})`,
  );
  const { rows } = await scratch.query<{ text: string }>(
    `SELECT parent.${quote(column)}::text AS text FROM ${nameOf(table)} AS parent WHERE ${alone.join(" AND ")} LIMIT 1`,
  );
  return rows[0]?.text;
}

/** One that no row has yet, as SQL; `undefined` for types that it can't be told for. */
function unusedSql({ name, category, baseType }: Column, row: number): string | undefined {
  const column = quote(name);
  if (baseType === "uuid") return `md5('index advisor ${row}')::uuid::text`;
  if (category === "N") return `(coalesce(max(${column}), 0) + ${row + 1})::text`;
  if (baseType === "date") return `(max(${column}) + ${row + 1})::text`;
  if (category === "D") return `(max(${column}) + ${row + 1} * interval '1 second')::text`;
  // As long as those that there are, for a column that takes no longer ones.
  if (category === "S")
    return `left(md5('index advisor ${row}'), greatest(1, max(length(${column})))::int)`;
  return undefined;
}

/** Columns that have to have new values: one of each unique index, the last that no foreign key holds. */
export function uniqueColumns(table: Table, held: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { unique, spec } of table.indexes) {
    if (!unique) continue;
    const columns = spec.keys.flatMap(({ column }) => column ?? []);
    const free = columns.findLast((column) => !held.has(column)) ?? columns.at(-1);
    if (free !== undefined) found.add(free);
  }
  return found;
}

/**
 * What INSERT stores: rows like those that there are, new where they have to be.
 *
 * @returns by use; none for a table without rows
 * @throws pg's errors
 */
export async function stored(
  scratch: pg.Client,
  uses: readonly ParameterUse[],
  held: ReadonlySet<string>,
): Promise<ReadonlyMap<ParameterUse, string | null>> {
  const values = new Map<ParameterUse, string | null>();
  const table = uses[0]?.table;
  if (table === undefined) return values;
  const fresh = uniqueColumns(table, held);
  const columns = [...new Set(uses.flatMap(({ column }) => column ?? []))];
  const count = Math.max(...uses.map(({ row = 0 }) => row)) + 1;
  const list = columns.map((column, n) => `${quote(column)}::text AS c${n}`).join(", ");
  const { rows } = await scratch.query<Record<string, string | null>>(
    `SELECT ${list} FROM ${sampled(table)} LIMIT ${count}`,
  );
  for (const use of uses) {
    const { column = "", row = 0 } = use;
    const like = rows[row % Math.max(1, rows.length)]?.[`c${columns.indexOf(column)}`];
    const described = table.columns.find(({ name }) => name === column);
    const sql =
      described !== undefined && fresh.has(column) ? unusedSql(described, row) : undefined;
    if (sql === undefined) {
      if (like !== undefined) values.set(use, like);
      continue;
    }
    const unused = await scratch.query<{ text: string | null }>(
      `SELECT ${sql} AS text FROM ${nameOf(table)}`,
    );
    const text = unused.rows[0]?.text ?? like;
    if (text !== undefined) values.set(use, text);
  }
  return values;
}
