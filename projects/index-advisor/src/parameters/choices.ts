/** What is compared with a column, by what the column has. */
import type pg from "pg";
import type { Table } from "../catalog.ts";
import { quote } from "../ddl.ts";
import type { ParameterUse } from "../sql/uses.ts";
import type { ParameterType } from "./types.ts";
import { fromRows, fromStatistics, sampled, type Values } from "./values.ts";

/** Values of one parameter, as texts. */
export interface Choice {
  readonly typical: string;
  /** Where the planner could want another plan for it. */
  readonly rare?: string;
  /** Of the calls that have the typical one. */
  readonly share?: number;
}

/** A share that nobody could say more of. */
const HALF = 0.5;
/** A value that fewer rows have is like all others to the planner. */
const COMMON = 0.05;
/** Nobody knows what is asked for; neither kind is ever left out. */
const AT_LEAST = 0.1;

export function keyOf(use: ParameterUse): string {
  return use.column === undefined ? `(${use.expression ?? "NULL"})` : quote(use.column);
}

/** Remembers what it has read, for as long as the advice takes. */
export class Reader {
  readonly #scratch: pg.Client;
  readonly #read = new Map<string, Promise<Values>>();

  constructor(scratch: pg.Client) {
    this.#scratch = scratch;
  }

  rows(table: Table, sql: string, more = ""): Promise<Values> {
    const key = `${table.schema}.${table.name} ${sql} ${more}`;
    const values = this.#read.get(key) ?? fromRows(this.#scratch, table, sql, more);
    this.#read.set(key, values);
    return values;
  }

  /** Some value that is not NULL; of types without an equality, too. */
  async some(table: Table, sql: string): Promise<string | undefined> {
    const { rows } = await this.#scratch.query<{ text: string }>(
      `SELECT ${sql}::text AS text FROM ${sampled(table)} WHERE ${sql} IS NOT NULL LIMIT 1`,
    );
    return rows[0]?.text;
  }
}

function skewed({ common, rare, quantile }: Values): Choice | undefined {
  const typical = common?.text ?? quantile(HALF) ?? rare;
  if (typical === undefined) return undefined;
  if (rare === undefined || rare === typical || common === undefined || common.share < COMMON)
    return {
      typical: common !== undefined && common.share >= COMMON ? typical : (rare ?? typical),
    };
  const share = Math.min(1 - AT_LEAST, Math.max(AT_LEAST, common.share));
  return { typical, rare, share };
}

/** In the middle of the rows, and near the end where few are left, as for what is new. */
function bounded(values: Values, bound: "lower" | "upper", both: boolean): Choice | undefined {
  const [middle, end] = bound === "lower" ? [0.5, 0.97] : both ? [0.6, 0.98] : [0.5, 0.02];
  const typical = values.quantile(middle);
  const rare = values.quantile(end);
  if (typical === undefined) return undefined;
  return rare === undefined || rare === typical ? { typical } : { typical, rare, share: HALF };
}

/** How often a pattern is thought to begin with what is looked for. */
const PREFIXES = 0.7;

function pattern(text: string, operator: string): Choice {
  const characters = [...text];
  const begin = characters.slice(0, Math.max(1, Math.min(4, characters.length - 1))).join("");
  const inner = characters.slice(1, 5).join("") || begin;
  if (operator === "^@") return { typical: begin };
  if (operator === "~" || operator === "~*") {
    const plain = (part: string) => part.replaceAll(/[^\p{L}\p{N}\s]/gu, "\\$&");
    return { typical: `^${plain(begin)}`, rare: plain(inner), share: PREFIXES };
  }
  const plain = (part: string) => part.replaceAll(/[%_\\]/g, "\\$&");
  return { typical: `${plain(begin)}%`, rare: `%${plain(inner)}%`, share: PREFIXES };
}

const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

/** An array of them. */
const arrayOf = (texts: readonly string[]) => `{${texts.map(quoted).join(",")}}`;

function each(choice: Choice | undefined, change: (text: string) => string): Choice | undefined {
  if (choice === undefined) return undefined;
  const { typical, rare, ...share } = choice;
  return {
    typical: change(typical),
    ...(rare === undefined ? {} : { rare: change(rare) }),
    ...share,
  };
}

const KEYS = (key: string) =>
  `, LATERAL jsonb_object_keys(CASE jsonb_typeof(${key}::jsonb) WHEN 'object' THEN ${key}::jsonb ELSE '{}' END) AS item`;

/** Operators of documents, arrays, texts and ranges. */
async function inside(
  use: ParameterUse,
  type: ParameterType,
  table: Table,
  reader: Reader,
): Promise<Choice | undefined> {
  const key = keyOf(use);
  const column = table.columns.find(({ name }) => name === use.column);
  if (type.name === "jsonb") {
    const more = `, LATERAL jsonb_each(CASE jsonb_typeof(${key}) WHEN 'object' THEN ${key} ELSE '{}' END) AS item`;
    const values = await reader.rows(table, "jsonb_build_object(item.key, item.value)", more);
    return skewed(values);
  }
  if (type.name === "jsonpath") {
    const keys = skewed(await reader.rows(table, "item", KEYS(key)));
    return each(keys, (text) => `$.${quoted(text)}${use.operator === "@@" ? " != null" : ""}`);
  }
  if (use.operator === "@@") {
    const vector = column?.category === "S" ? `to_tsvector(${key})` : key;
    const more = `, LATERAL unnest(tsvector_to_array(${vector})) AS item`;
    return skewed(await reader.rows(table, "item", more));
  }
  if (use.operator?.startsWith("?")) {
    const keys = skewed(await reader.rows(table, "item", KEYS(key)));
    return type.category === "A" ? each(keys, (text) => arrayOf([text])) : keys;
  }
  if (type.category === "A" || column?.category === "A") {
    const items = skewed(await reader.rows(table, "item", `, LATERAL unnest(${key}) AS item`));
    return type.category === "A" ? each(items, (text) => arrayOf([text])) : items;
  }
  if (column?.category === "R" && type.category !== "R")
    return skewed(await reader.rows(table, `lower(${key})`));
  const some = await reader.some(table, key);
  return some === undefined ? undefined : { typical: some };
}

async function valuesOf(use: ParameterUse, table: Table, reader: Reader): Promise<Values> {
  const known = use.column === undefined ? undefined : fromStatistics(table, use.column);
  // Common values alone stand in no order.
  const ordered = known?.quantile(HALF) !== undefined || use.bound === undefined;
  return known !== undefined && ordered ? known : reader.rows(table, keyOf(use));
}

/**
 * @param both whether the same column has a lower bound, too
 * @param nth counts the parameters that one column is compared with
 * @returns `undefined` where the table has nothing to choose from
 * @throws pg's errors
 */
export async function compared(
  use: ParameterUse,
  type: ParameterType,
  reader: Reader,
  { both, nth }: { readonly both: boolean; readonly nth: number },
): Promise<Choice | undefined> {
  const { table, comparison, operator = "" } = use;
  // `to_tsvector($1, body)`: the language of a text is none of its words.
  if (table === undefined || type.name === "regconfig") return undefined;
  if (operator === "<->") {
    const some = await reader.some(table, keyOf(use));
    return some === undefined ? undefined : { typical: some };
  }
  if (comparison === "operator") return inside(use, type, table, reader);
  const values = await valuesOf(use, table, reader);
  if (comparison === "like" || comparison === "prefix" || /^!?~/.test(operator)) {
    const text = values.quantile(HALF) ?? values.rare;
    return text === undefined ? undefined : pattern(text, operator.replace("!", ""));
  }
  if (comparison === "range" && use.bound !== undefined) return bounded(values, use.bound, both);
  const column = table.columns.find(({ name }) => name === use.column);
  if (type.category === "A" && column?.category !== "A") {
    const some = [0.1, 0.5, 0.9].flatMap((share) => values.quantile(share) ?? []);
    return each(skewed(values), (text) => arrayOf([...new Set([text, ...some])].slice(0, 3)));
  }
  const next = nth === 0 ? undefined : values.quantile((0.3 * nth) % 1);
  return next === undefined ? skewed(values) : { typical: next };
}

/** A key of the objects in a column of documents. */
export async function objectKey(
  use: ParameterUse,
  type: ParameterType,
  reader: Reader,
): Promise<Choice | undefined> {
  if (use.table === undefined) return undefined;
  const { common } = await reader.rows(use.table, "item", KEYS(keyOf(use)));
  if (common === undefined) return undefined;
  return { typical: type.category === "A" ? arrayOf([common.text]) : common.text };
}
