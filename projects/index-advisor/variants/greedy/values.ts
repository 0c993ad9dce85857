/** Values in place of `$1`, `$2` …: a common one and a rare one, as the copy's statistics know them. */
import { scan } from "libpg-query";
import { type Connection, literal, MARK, quoted } from "./connection.ts";
import type { Parameter, Understood, Use } from "./statements.ts";

export interface Instance {
  readonly sql: string;
  /** Of the statement's calls. */
  readonly share: number;
}

interface Pair {
  readonly common: string;
  readonly rare: string;
}

const PREPARED = "advisor_types";

export async function instancesOf(
  client: Connection,
  sql: string,
  statement: Understood,
): Promise<Instance[]> {
  // `interval '1 day'` is normalised to what no parser takes.
  const text = sql.replace(/\binterval\s+\$(\d+)/gi, "$$$1::interval");
  const { tokens } = await scan(text);
  const places = tokens.filter((token) => /^\$\d+$/.test(token.text));
  if (places.length === 0) return [{ sql: text, share: 1 }];
  const types = await typesOf(client, text);
  const pairs = new Map<number, Pair>();
  for (const [at, type] of types.entries()) {
    const parameter = statement.parameters.find(({ number }) => number === at + 1);
    pairs.set(at + 1, await pairOf(client, type, parameter));
  }
  const filled = (which: "common" | "rare") => {
    const bytes = Buffer.from(text);
    let result = text === "" ? "" : bytes.toString();
    for (const place of places.toSorted((a, b) => b.start - a.start)) {
      const number = Number(place.text.slice(1));
      const value = pairs.get(number)?.[which] ?? "NULL";
      const whole = Buffer.from(result);
      result =
        whole.subarray(0, place.start).toString() + value + whole.subarray(place.end).toString();
    }
    return result;
  };
  const common = filled("common");
  const rare = filled("rare");
  if (common === rare) return [{ sql: common, share: 1 }];
  // How often a value is there says nothing about how often somebody asks for it.
  return [
    { sql: common, share: 0.5 },
    { sql: rare, share: 0.5 },
  ];
}

async function typesOf(client: Connection, text: string): Promise<string[]> {
  await client.query(`PREPARE ${PREPARED} AS ${text}`);
  try {
    const { rows } = await client.query<{ types: string[] }>(
      `${MARK} SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = $1`,
      [PREPARED],
    );
    return rows[0]?.types ?? [];
  } finally {
    await client.query(`DEALLOCATE ${PREPARED}`);
  }
}

async function pairOf(client: Connection, type: string, parameter?: Parameter): Promise<Pair> {
  const always = (value: string): Pair => ({ common: value, rare: value });
  const use = parameter?.use;
  if (!use?.column) return always(/^(big|small)?int/.test(type) ? "10" : plainValue(type));
  const sampled = await sampleOf(client, use);
  if (sampled === undefined) return always(`NULL::${type}`);
  if (use.how === "like") return always(`${literal(`${sampled.slice(0, 4)}%`)}::text`);
  if (use.how === "in" && type.endsWith("[]")) return always(`ARRAY[${literal(sampled)}]::${type}`);
  if (use.how === "operator") return always(`${literal(operand(use, sampled, type))}::${type}`);
  const known = await statisticsOf(client, use);
  const cast = (value: string) => `${literal(value)}::${type}`;
  if (!known.common) return always(cast(known.rare ?? sampled));
  return { common: cast(known.common), rare: cast(known.rare ?? sampled) };
}

function plainValue(type: string): string {
  if (type === "interval") return "'1 day'::interval";
  if (/^(numeric|real|double)/.test(type)) return `'1'::${type}`;
  if (type === "jsonb" || type === "json") return `'{}'::${type}`;
  if (type.endsWith("[]")) return `'{}'::${type}`;
  if (type.startsWith("timestamp") || type === "date") return `now()::${type}`;
  return type === "text" ? "'a'::text" : `NULL::${type}`;
}

/** Of a whole value, the part that an operator of this kind is asked with. */
function operand(use: Use, sampled: string, type: string): string {
  if (use.operator === "?") return Object.keys(JSON.parse(sampled) as object)[0] ?? "a";
  if (type === "jsonb" && use.operator === "@>") {
    const [entry] = Object.entries(JSON.parse(sampled) as object);
    return JSON.stringify(entry ? { [entry[0]]: entry[1] } : {});
  }
  if (type === "tsquery") return /'([^']+)'/.exec(sampled)?.[1] ?? "a";
  return sampled;
}

async function sampleOf(client: Connection, { table, column }: Use): Promise<string | undefined> {
  const name = quoted(column?.name ?? "");
  const { rows } = await client.query<{ value: string }>(
    `${MARK} SELECT ${name}::text AS value FROM ${quoted(table.schema)}.${quoted(table.name)} WHERE ${name} IS NOT NULL LIMIT 1 OFFSET 100`,
  );
  return rows[0]?.value;
}

async function statisticsOf(
  client: Connection,
  { table, column }: Use,
): Promise<{ common?: string; rare?: string }> {
  const { rows } = await client.query<{
    common: string[] | null;
    histogram: string[] | null;
  }>(
    `${MARK} SELECT most_common_vals::text::text[] AS common, histogram_bounds::text::text[] AS histogram
     FROM pg_stats WHERE schemaname = $1 AND tablename = $2 AND attname = $3`,
    [table.schema, table.name, column?.name],
  );
  const [row] = rows;
  const histogram = row?.histogram ?? [];
  const rare = histogram[Math.floor(histogram.length / 2)] ?? row?.common?.at(-1);
  const common = row?.common?.[0];
  return {
    ...(common === undefined ? {} : { common }),
    ...(rare === undefined ? {} : { rare }),
  };
}
