/**
 * Task 2: values in place of `$1`. Each parameter may be any value of the column that it is compared with, and
 * a rare one counts like a frequent one. Values that stand together come from one row, or nothing would be found.
 */
import type { Catalogue, Column } from "./catalogue.ts";
import type { Asked, Condition } from "./conditions.ts";
import type { Binding, Copy } from "./copy.ts";
import { ident, isRefusal, literal } from "./databases.ts";
import type { Understood } from "./understand.ts";

/** How many sets of values a statement is tried with. */
export const SAMPLES = 5;

/** `LIKE $1` gets so much of a value that at most this share of the rows begins so. */
const FEW = 0.002;
const LONGEST_PREFIX = 40;
/** `BETWEEN $1 AND $2` spans this share of the rows. */
const SPAN = 0.005;

export class Binder {
  readonly #copy: Copy;
  readonly #catalogue: Catalogue;

  constructor(copy: Copy, catalogue: Catalogue) {
    this.#copy = copy;
    this.#catalogue = catalogue;
  }

  async bindings(
    query: Understood,
    types: readonly string[],
    asked: Asked,
    written: string | undefined,
  ): Promise<Binding[]> {
    if (types.length === 0) return [[]];
    const compared = new Map<number, Condition>();
    for (const condition of asked.groups.flat()) {
      for (const parameter of condition.parameters) {
        if (!compared.has(parameter)) compared.set(parameter, condition);
      }
    }
    const rows = await this.#rows([...compared.values()]);
    const targets = written === undefined ? [] : await this.#catalogue.columns(written);
    const samples = written === undefined ? [] : await this.#written(written, targets);
    const bindings: string[][] = [];
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const binding: string[] = [];
      for (const [at, type] of types.entries()) {
        const number = at + 1;
        const condition = compared.get(number);
        const column = query.written.get(number);
        const value =
          column !== undefined
            ? writtenValue(column, targets, samples, sample)
            : condition !== undefined
              ? await this.#value(condition, rows, sample, asked, number)
              : undefined;
        binding.push(await this.#fitting(value, type, query, number));
      }
      if (!bindings.some((other) => other.join() === binding.join())) bindings.push(binding);
    }
    return bindings;
  }

  /** For each table, rows that differ in the first column that is compared; the most frequent value is among them. */
  async #rows(conditions: readonly Condition[]): Promise<Map<string, readonly Values[]>> {
    const rows = new Map<string, readonly Values[]>();
    for (const alias of new Set(conditions.map((condition) => condition.alias))) {
      const own = conditions.filter((condition) => condition.alias === alias);
      const first = own.find(({ test }) => test === "equal") ?? own[0];
      if (first === undefined) continue;
      const keys = [...new Set(own.map(({ key }) => key.text))];
      const values = keys.map((key, at) => `(${key})::text AS v${at}`).join(", ");
      const from = await this.#catalogue.sampled(first.table);
      const found = await this.#copy.ask(
        `WITH counted AS (SELECT (${first.key.text})::text AS lead, count(*) AS n, min(ctid) AS place
                            FROM ${from} WHERE ${first.key.text} IS NOT NULL GROUP BY 1)
         SELECT ${values} FROM ${first.table}
          WHERE ctid = ANY (ARRAY(SELECT place FROM counted ORDER BY n DESC, lead LIMIT 1)
                         || ARRAY(SELECT place FROM counted ORDER BY md5(lead) LIMIT ${SAMPLES}))`,
        this.#copy.leftMs(),
      );
      rows.set(
        alias,
        found.map((row) => new Map(keys.map((key, at) => [key, textOf(row[`v${at}`])]))),
      );
    }
    return rows;
  }

  async #value(
    condition: Condition,
    rows: ReadonlyMap<string, readonly Values[]>,
    sample: number,
    asked: Asked,
    number: number,
  ): Promise<string | undefined> {
    const { key, table, operator } = condition;
    const own = rows.get(condition.alias) ?? [];
    const value = own[sample % Math.max(1, own.length)]?.get(key.text);
    if (value === undefined) return undefined;
    if (/~~/.test(operator)) return `${likeEscaped(await this.#prefix(table, key.text, value))}%`;
    if (operator === "^@") return this.#prefix(table, key.text, value);
    if (operator === "?")
      return this.#scalar(`SELECT jsonb_object_keys(${literal(value)}::jsonb) LIMIT 1`);
    if (operator === "@@")
      return this.#scalar(`SELECT (tsvector_to_array(${literal(value)}::tsvector))[1]`);
    const upper = operator === "<" || operator === "<=";
    const hasLower = asked.groups
      .flat()
      .some(
        (other) =>
          other.alias === condition.alias &&
          other.key.text === key.text &&
          /^>=?$/.test(other.operator) &&
          !other.parameters.includes(number),
      );
    if (!upper || !hasLower) return value;
    return this.#scalar(
      `SELECT max(k)::text FROM (SELECT ${key.text} AS k FROM ${table} WHERE ${key.text} >= ${literal(value)}
        ORDER BY 1 LIMIT greatest(2, (SELECT count(*) * ${SPAN} FROM ${table})::bigint)) s`,
    );
  }

  /** The shortest beginning of a value that few rows share. More of it, and fewer do: halved until found. */
  async #prefix(table: string, key: string, value: string): Promise<string> {
    const from = await this.#catalogue.sampled(table);
    let least = 1;
    let most = Math.min(value.length, LONGEST_PREFIX);
    while (least < most) {
      const middle = (least + most) >> 1;
      const begin = literal([...value].slice(0, middle).join(""));
      const [row] = await this.#copy.ask(
        `SELECT count(*) FILTER (WHERE starts_with((${key})::text, ${begin})) <= 1 + count(*) * ${FEW} AS few FROM ${from}`,
        this.#copy.leftMs(),
      );
      if (row?.few === true) most = middle;
      else least = middle + 1;
    }
    return [...value].slice(0, most).join("");
  }

  async #scalar(sql: string): Promise<string | undefined> {
    try {
      const [row] = await this.#copy.attempt(() => this.#copy.ask(sql, this.#copy.leftMs()));
      return textOf(Object.values(row ?? {})[0]);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return undefined;
    }
  }

  /** Rows of a table as they are, to write more of their kind. */
  async #written(table: string, columns: readonly Column[]): Promise<Values[]> {
    const largest = columns.map(({ name, kind }) =>
      ordinal(kind) ? `max(${ident(name)})::text` : "NULL",
    );
    const [top] = await this.#copy.ask(
      `SELECT ${largest.map((value, at) => `${value} AS v${at}`).join(", ")} FROM ${table}`,
      this.#copy.leftMs(),
    );
    const rows = await this.#copy.ask(
      `SELECT ${columns.map(({ name }, at) => `${ident(name)}::text AS v${at}`).join(", ")}
         FROM ${await this.#catalogue.sampled(table)} ORDER BY md5(ctid::text) LIMIT ${SAMPLES}`,
      this.#copy.leftMs(),
    );
    return (rows.length > 0 ? rows : [{}]).map((row, sample) => {
      const values = new Map<string, string | undefined>();
      for (const [at, column] of columns.entries()) {
        const value = textOf(row[`v${at}`]);
        const fresh = column.unique
          ? unused(column, value, textOf(top?.[`v${at}`]), sample)
          : value;
        values.set(column.name, fresh);
      }
      return values;
    });
  }

  async #fitting(
    value: string | undefined,
    type: string,
    { limits, offsets }: Understood,
    number: number,
  ): Promise<string> {
    if (limits.has(number)) return "10";
    if (offsets.has(number)) return "0";
    const wanted =
      value !== undefined && type.endsWith("[]") && !value.startsWith("{")
        ? `{${quoted(value)}}`
        : value;
    for (const text of [wanted, ...ANYTHING]) {
      if (text === undefined) continue;
      const sql = `${literal(text)}::${type}`;
      if ((await this.#scalar(`SELECT (${sql})::text`)) !== undefined) return sql;
    }
    return `NULL::${type}`;
  }
}

type Values = ReadonlyMap<string, string | undefined>;

/** For a parameter that is compared with no column: the first of these that its type takes. */
const ANYTHING = ["1", "1 day", "2020-01-01", "{}", "a", "00000000-0000-0000-0000-000000000000"];

function writtenValue(
  column: string,
  columns: readonly Column[],
  samples: readonly Values[],
  sample: number,
): string | undefined {
  const name = column.startsWith("#") ? columns[Number(column.slice(1)) - 1]?.name : column;
  // From another row than the one that is looked for: to write what is there already would change nothing.
  return samples[(sample + 1) % samples.length]?.get(name ?? "");
}

function unused(
  column: Column,
  value: string | undefined,
  largest: string | undefined,
  sample: number,
): string {
  if (column.kind === "uuid") return `ffffffff-ffff-4fff-bfff-${String(sample).padStart(12, "0")}`;
  if (ordinal(column.kind)) {
    const whole = /^-?\d+/.exec(largest ?? "")?.[0] ?? "0";
    return String(BigInt(whole) + BigInt(sample + 1));
  }
  return `${(value ?? "").slice(0, 12)}~${sample}`;
}

function ordinal(kind: string): boolean {
  return ["int2", "int4", "int8", "numeric"].includes(kind);
}

function likeEscaped(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function quoted(element: string): string {
  return `"${element.replace(/["\\]/g, "\\$&")}"`;
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : String(value);
}
