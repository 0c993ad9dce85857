/** What is in a column, or what an expression over one gives. */
import type pg from "pg";
import type { Table } from "../catalog.ts";
import { quote } from "../ddl.ts";

/** Values are texts, as their type writes them. */
export interface Values {
  /** The most common value, and its share of the rows. */
  readonly common?: { readonly text: string; readonly share: number };
  /** One that few rows have. */
  readonly rare?: string;
  /** @param share 0 … 1 of the rows that lie below */
  quantile(share: number): string | undefined;
}

const EMPTY: Values = { quantile: () => undefined };

/** Enough to tell a share of some percent. */
const SAMPLED_ROWS = 3000;
/** For a table that has grown since it was counted. */
const MOST_ROWS = 25_000;
/** Each has many elements. */
const MOST_DOCUMENTS = 1000;
/** Below it all is read: a sample takes whole pages, and too few of them could be like one another. */
const FEW_PAGES = 100;

/** A table with a sample clause behind it, the same one each time. */
export function sampled({ schema, name, rows, pages, kind }: Table): string {
  const table = `${quote(schema)}.${quote(name)}`;
  if (pages < FEW_PAGES || (kind !== "table" && kind !== "materialized view")) return table;
  const percent = Math.min(
    100,
    100 * Math.max(SAMPLED_ROWS / Math.max(rows, 1), FEW_PAGES / pages),
  );
  return `${table} TABLESAMPLE SYSTEM (${percent.toFixed(4)}) REPEATABLE (1)`;
}

function pick(list: readonly string[], share: number): string | undefined {
  return list[Math.min(list.length - 1, Math.floor(share * list.length))];
}

/** From `pg_stats`; `undefined` without. */
export function fromStatistics(table: Table, column: string): Values | undefined {
  const statistics = table.columns.find(({ name }) => name === column)?.statistics;
  if (statistics === undefined) return undefined;
  const { commonValues, commonFrequencies, histogram } = statistics;
  const [text] = commonValues;
  const rare = histogram.length > 0 ? pick(histogram, 0.5) : commonValues.at(-1);
  if (rare === undefined) return undefined;
  return {
    ...(text === undefined ? {} : { common: { text, share: commonFrequencies[0] ?? 0 } }),
    rare,
    quantile: (share) => pick(histogram.length > 0 ? histogram : commonValues, share),
  };
}

interface SampleRow {
  readonly text: string;
  readonly rows: number;
}

/**
 * From rows of the copy.
 *
 * @param sql over the table's columns
 * @param more joined to each row: `, LATERAL unnest(tags) AS item`
 * @throws pg's errors
 */
export async function fromRows(
  scratch: pg.Client,
  table: Table,
  sql: string,
  more = "",
): Promise<Values> {
  const limit = more === "" ? MOST_ROWS : MOST_DOCUMENTS;
  const from = `(SELECT * FROM ${sampled(table)} LIMIT ${limit}) AS sampled${more}`;
  const { rows } = await scratch.query<SampleRow>(
    `SELECT v::text AS text, count(*)::float8 AS rows FROM (SELECT ${sql} AS v FROM ${from}) AS s
     WHERE v IS NOT NULL GROUP BY v ORDER BY v`,
  );
  if (rows.length === 0) return EMPTY;
  const total = rows.reduce((sum, row) => sum + row.rows, 0);
  const most = rows.reduce((a, b) => (b.rows > a.rows ? b : a));
  const least = rows.reduce((a, b) => (b.rows < a.rows ? b : a));
  return {
    common: { text: most.text, share: most.rows / total },
    // Where all are as rare, the one in the middle is as good as any.
    rare: least.rows === most.rows ? (rows[rows.length >> 1]?.text ?? most.text) : least.text,
    quantile(share) {
      let below = 0;
      for (const row of rows) {
        below += row.rows;
        if (below >= share * total) return row.text;
      }
      return rows.at(-1)?.text;
    },
  };
}
