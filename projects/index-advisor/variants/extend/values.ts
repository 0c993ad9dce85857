/** Values in place of `$1`, drawn from the rows of the copy: each distinct one counts once, rare or frequent. */
import { scanSync } from "libpg-query";
import type { Connection } from "./connections.ts";
import type { Shape, Slot, Use } from "./shape.ts";
import { literal, qualified } from "./sql.ts";

/** Texts to try of each statement. */
const DRAWN = 4;
/** Larger tables are sampled, this many rows of them. */
const SAMPLED_ROWS = 200_000;

/** Between which two values a range lies that has both ends: a fiftieth of all rows. */
const RANGE_SHARE = 50;

const DEFAULTS: readonly (readonly [RegExp, string])[] = [
  [/\[\]$/, "{}"],
  [/^(smallint|integer|bigint|numeric|real|double|oid)/, "1"],
  [/^bool/, "true"],
  [/^interval/, "1 day"],
  [/^(timestamp|date)/, "2020-01-01"],
  [/^time/, "12:00"],
  [/^uuid/, "00000000-0000-4000-8000-000000000000"],
  [/^json/, "{}"],
];

export interface Values {
  /** Of `$1`, `$2` …, as the server infers them; none where it can't. */
  readonly types: readonly string[];
}

/** Texts without parameters. Where there is nothing to draw, the statement itself is the only one. */
export async function texts(
  scratch: Connection,
  sql: string,
  shape: Shape,
  { types }: Values,
): Promise<string[]> {
  const rows = new Map<Use, Draw>();
  for (const use of new Set(shape.slots.map((slot) => slot.use))) {
    if (use) rows.set(use, await draw(scratch, use, shape.slots));
  }
  const known = new Set(shape.slots.map(({ at }) => at));
  const slots = [...shape.slots, ...strayParameters(sql).filter(({ at }) => !known.has(at))];
  if (slots.length === 0) return [sql];
  const instances: string[] = [];
  for (let turn = 0; turn < DRAWN; turn++) {
    instances.push(spliced(sql, filled(slots, rows, turn, types)));
  }
  return [...new Set(instances)];
}

const keyOf = (slot: Slot): string => `${slot.key?.sql} ${slot.operator}`;

/** A parameter has one value, wherever it stands. */
function filled(
  slots: readonly Slot[],
  draws: ReadonlyMap<Use, Draw>,
  turn: number,
  types: readonly string[],
): { at: number; text: string }[] {
  const byParameter = new Map<number, string>();
  const used = new Map<string, number>();
  return slots.map((slot) => {
    const type = types[slot.parameter - 1] ?? "";
    let value = byParameter.get(slot.parameter);
    if (value === undefined) {
      const before = used.get(keyOf(slot)) ?? 0;
      used.set(keyOf(slot), before + 1);
      value = slot.use && draws.get(slot.use)?.value(slot, turn + before, type);
      value ??= slot.operator === "LIMIT" ? "10" : slot.operator === "OFFSET" ? "0" : undefined;
      value ??= DEFAULTS.find(([pattern]) => pattern.test(type))?.[1] ?? "a";
    }
    byParameter.set(slot.parameter, value);
    return { at: slot.at, text: type ? `(${literal(value)}::${type})` : literal(value) };
  });
}

class Draw {
  readonly #rows: readonly Record<string, string>[];
  readonly #names: ReadonlyMap<string, string>;

  constructor(rows: Record<string, string>[], names: ReadonlyMap<string, string>) {
    this.#rows = rows;
    this.#names = names;
  }

  value(slot: Slot, turn: number, type: string): string | undefined {
    const name = this.#names.get(keyOf(slot));
    const at = (offset: number) =>
      name === undefined ? undefined : this.#rows[(turn + offset) % this.#rows.length]?.[name];
    if (!type.endsWith("[]") || slot.operator !== "=" || this.#rows.length === 0) return at(0);
    const items = [at(0), at(1), at(2)].map(
      (item) => `"${(item ?? "").replace(/["\\]/g, "\\$&")}"`,
    );
    return `{${[...new Set(items)].join(",")}}`;
  }
}

/** One query draws all that is compared with one table, so that values of one row stay together. */
async function draw(scratch: Connection, use: Use, all: readonly Slot[]): Promise<Draw> {
  const slots = all.filter((slot) => slot.use === use && slot.key);
  const distinct = [...new Map(slots.map((slot) => [keyOf(slot), slot])).values()];
  const names = new Map(distinct.map((slot, at) => [keyOf(slot), `v${at}`]));
  const equals = distinct.filter(({ operator }) => operator === "=");
  const keys = (equals.length > 0 ? equals : distinct).map(({ key }) => `(${key?.sql})::text`);
  const table = qualified(use.table.schema, use.table.name);
  const share = Math.min(100, (100 * SAMPLED_ROWS) / Math.max(1, use.table.rows));
  const source = share < 100 ? `${table} TABLESAMPLE SYSTEM (${share}) REPEATABLE (1)` : table;
  const columns = distinct.map((slot, at) => `${drawn(slot, distinct, table)} AS v${at}`);
  const present = distinct.map(({ key }) => `(${key?.sql}) IS NOT NULL`).join(" AND ");
  // One row of each value, and of these a few by their hashes: the same ones the next time.
  const picked = `SELECT min(ctid) AS advisor_row FROM ${source} WHERE ${present}
    GROUP BY ${keys} ORDER BY md5(concat(${keys})) LIMIT ${DRAWN}`;
  await scratch.run("SAVEPOINT drawing");
  try {
    const rows = await scratch.rows<Record<string, string>>(
      `WITH picked AS MATERIALIZED (${picked})
       SELECT ${columns} FROM ${table} r
        WHERE r.ctid = ANY (ARRAY(SELECT advisor_row FROM picked))
        ORDER BY md5(concat(${keys}))`,
    );
    await scratch.run("RELEASE drawing");
    return new Draw(rows, names);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.name === "AdvisorError") throw error;
    await scratch.run("ROLLBACK TO drawing");
    return new Draw([], names);
  }
}

/** What to compare a key with, taken from a row that has it. */
function drawn({ key, operator }: Slot, all: readonly Slot[], table: string): string {
  const of = `(${key?.sql})`;
  const text = `${of}::text`;
  const hasLow = all.some((slot) => slot.key?.sql === key?.sql && /^>/.test(slot.operator));
  if (/^</.test(operator) && hasLow && operator !== "<@") {
    const upper = `SELECT o.advisor_value FROM (SELECT ${of} AS advisor_value FROM ${table}) o WHERE o.advisor_value >= ${of}`;
    return `coalesce((SELECT x.advisor_value::text FROM (${upper} ORDER BY 1
      OFFSET (SELECT count(*) / ${RANGE_SHARE} FROM ${table}) LIMIT 1) x), ${text})`;
  }
  if (operator === "~~") return `left(${text}, greatest(1, length(${text}) - 1)) || '%'`;
  if (operator === "~~*") return `'%' || substr(${text}, 2, 8) || '%'`;
  if (operator === "~" || operator === "~*") return `substr(${text}, 2, 8)`;
  if (operator === "?") return `(SELECT jsonb_object_keys(${of}) LIMIT 1)`;
  return text;
}

const PARAMETER = /^\$\d+$/;

/** Parameters that stand where nothing is known of them. */
function strayParameters(sql: string): Slot[] {
  return scanSync(sql)
    .tokens.filter(({ text }) => PARAMETER.test(text))
    .map(({ start, text }) => ({
      at: start,
      parameter: Number(text.slice(1)),
      use: undefined,
      key: undefined,
      operator: "",
    }));
}

function spliced(sql: string, places: readonly { at: number; text: string }[]): string {
  const ends = new Map(
    scanSync(sql)
      .tokens.filter(({ text: token }) => PARAMETER.test(token))
      .map(({ start, end }) => [start, end]),
  );
  const bytes = Buffer.from(sql);
  let text = "";
  let from = 0;
  for (const place of places.toSorted((a, b) => a.at - b.at)) {
    const end = ends.get(place.at);
    if (end === undefined || place.at < from) continue;
    text += bytes.subarray(from, place.at).toString() + place.text;
    from = end;
  }
  return text + bytes.subarray(from).toString();
}
