import type pg from "pg";
import type { Advice, CreateIndex, Statement } from "../contract.ts";
import { expectEvidence, expectSums } from "./evidence.ts";
import { expectUntouched } from "./fingerprint.ts";
import type { AdvisorContext } from "./kit.ts";
import { blocksOf, type Probe, totalOf, undone } from "./work.ts";

/** An index of `create`, as it is on the target once it is built. */
export interface Built {
  /** With its schema, quoted. */
  readonly name: string;
  readonly table: string;
  readonly definition: string;
  /** As `pg_relation_size` tells. */
  readonly bytes: number;
}

interface Found extends Built {
  readonly relname: string;
  readonly valid: boolean;
  /** Two that have this in common are the same but for their names. */
  readonly signature: string;
  /** Of each key: column, operator class, collation, direction; `null` where it is an expression. */
  readonly keys: readonly (string | null)[];
  readonly carried: readonly string[];
  readonly kind: string;
}

/** `CREATE INDEX CONCURRENTLY`, a name without a schema, a table with one; what follows is PostgreSQL's to judge. */
const identifier = `(?:"(?:[^"]|"")+"|[\\p{L}_][\\p{L}\\p{N}_$]*)`;
const form = new RegExp(
  `^\\s*CREATE\\s+INDEX\\s+CONCURRENTLY\\s+(?:IF\\s+NOT\\s+EXISTS\\s+)?(${identifier})\\s+ON\\s+(?:ONLY\\s+)?${identifier}\\s*\\.\\s*${identifier}(?=[\\s(])`,
  "iu",
);

/** What holds for every piece of advice, whatever is in it. */
export async function expectWellFormed(
  t: AdvisorContext,
  advice: Advice,
  statements: readonly Statement[],
): Promise<void> {
  const names = advice.create.map(({ name }) => name);
  t.equal(new Set(names).size, names.length, "no two indexes of create have the same name");
  for (const index of advice.create) {
    const written = form.exec(index.sql)?.[1];
    t.ok(
      written !== undefined && unquoted(written) === index.name,
      "sql is a CREATE INDEX CONCURRENTLY of that name, and its table has a schema",
      {
        expected: `CREATE INDEX CONCURRENTLY ${index.name} ON <schema>.<table> …`,
        received: index.sql,
      },
    );
    t.ok(Number.isInteger(index.sizeBytes) && index.sizeBytes > 0, "sizeBytes is a size", {
      expected: "a whole number of bytes",
      received: String(index.sizeBytes),
    });
    expectEvidence(t, index, statements.length);
  }
  expectSums(t, advice, statements);
  await expectUntouched(t);
}

/**
 * Builds what was advised, as an operator would run it.
 * @returns one for each of `create`, in its order
 */
export async function build(
  t: AdvisorContext,
  client: pg.Client,
  create: readonly Pick<CreateIndex, "name" | "sql">[],
): Promise<Built[]> {
  const built: Built[] = [];
  for (const { name, sql } of create) {
    const before = await indexesOf(client);
    try {
      // Only the extended protocol takes one statement and no more.
      await client.query({ text: sql, queryMode: "extended" } as pg.QueryConfig);
    } catch (error) {
      t.ok(false, "sql is one statement, and runs on the target as it is", {
        expected: "an index",
        received: `${(error as Error).message}, from ${sql}`,
      });
    }
    const known = new Set(before.map((index) => index.name));
    const fresh = (await indexesOf(client)).filter((index) => !known.has(index.name));
    const [index] = fresh;
    t.equal(
      fresh.map(({ relname, valid }) => ({ name: relname, valid })),
      [{ name, valid: true }],
      "sql makes one index, of its name",
    );
    if (!index) continue;
    const same = before.find(({ valid, signature }) => valid && signature === index.signature);
    t.ok(same === undefined, "nothing is made that is there already, and nothing twice", {
      expected: "an index that differs from all others",
      received: `${sql}, which is the same as ${same?.definition}`,
    });
    built.push(index);
  }
  return built;
}

/** How many times fewer blocks a statement touches that an index is for. */
const FEWER = 5;

/** Each of the statements got at least `FEWER` times cheaper, in blocks touched. */
export function expectFewerBlocks(
  t: AdvisorContext,
  sql: readonly string[],
  before: readonly number[],
  after: readonly number[],
): void {
  for (const [index, text] of sql.entries()) {
    const [was = 0, is = 0] = [before[index], after[index]];
    t.ok(is * FEWER <= was, "with the advised indexes a slow statement touches few blocks", {
      expected: `at most ${Math.floor(was / FEWER)} blocks instead of ${was}`,
      received: `${is} blocks: ${text}`,
    });
  }
}

/** No index of these begins another index of the same table, whoever made that. */
export async function expectNoPrefix(
  t: AdvisorContext,
  client: pg.Client,
  built: readonly Built[],
): Promise<void> {
  const all = await indexesOf(client);
  for (const index of all.filter(({ name }) => built.some((each) => each.name === name))) {
    const longer = all.find((other) => other.name !== index.name && begins(index, other));
    t.ok(longer === undefined, "no index of create is the beginning of another one", {
      expected: "the longer one alone",
      received: `${index.definition}, and ${longer?.definition}`,
    });
  }
}

function begins(short: Found, long: Found): boolean {
  return (
    short.kind === long.kind &&
    short.keys.length < long.keys.length &&
    short.keys.every((key, position) => key !== null && key === long.keys[position]) &&
    short.carried.every((column) => long.carried.includes(column))
  );
}

/**
 * Every index is worth its while: with it, the workload touches fewer blocks than without it, all the
 * others being there. So one that no plan uses is in vain, and one that costs writes more than it
 * saves reads, whatever it looks like.
 */
export async function expectEachPays(
  t: AdvisorContext,
  client: pg.Client,
  built: readonly Built[],
  probes: readonly Probe[],
): Promise<void> {
  if (built.length === 0) return;
  const texts = probes.map(({ sql }) => sql);
  const withAll = await blocksOf(client, texts);
  for (const { name, definition } of built) {
    const without = await undone(client, async () => {
      await client.query(`DROP INDEX ${name}`);
      return blocksOf(client, texts);
    });
    const [is, was] = [totalOf(probes, withAll), totalOf(probes, without)];
    t.ok(is < was, "no index of create is there in vain", {
      expected: `the workload touches fewer blocks with ${definition} than without it`,
      received: `${is} blocks with it, ${was} without it (calls × blocks per call, all others being there); ${differences(probes, without, withAll)}`,
    });
  }
}

/** How many of the statements that an index makes a difference to are told of. */
const TOLD = 3;

function differences(
  probes: readonly Probe[],
  before: readonly number[],
  after: readonly number[],
): string {
  const all = probes.flatMap(({ sql, calls }, at) => {
    const [was = 0, is = 0] = [before[at], after[at]];
    const told = `from ${was} to ${is} blocks, ${calls} times: ${sql}`;
    return was === is ? [] : [{ told, weight: calls * Math.abs(was - is) }];
  });
  const first = all.toSorted((a, b) => b.weight - a.weight).slice(0, TOLD);
  return first.map(({ told }) => told).join("; ") || "it changes no statement's blocks";
}

/** @returns what an index would really take, in bytes; nothing is left of it */
export function sizeOf(client: pg.Client, tableAndKeys: string): Promise<number> {
  return undone(client, async () => {
    await client.query(`CREATE INDEX kata_measured ON ${tableAndKeys}`);
    const made = (await indexesOf(client)).find(({ relname }) => relname === "kata_measured");
    return made?.bytes ?? 0;
  });
}

/** What was built fits the budget, byte for byte. */
export function expectWithin(
  t: AdvisorContext,
  built: readonly Built[],
  budgetBytes: number | undefined,
): void {
  const taken = built.reduce((sum, { bytes }) => sum + bytes, 0);
  t.ok(taken <= (budgetBytes ?? Infinity), "what was advised fits the budget once it is built", {
    expected: `at most ${budgetBytes} bytes`,
    received: `${taken} bytes: ${built.map(({ definition, bytes }) => `${definition} ${bytes}`).join("; ")}`,
  });
}

/** How much `sizeBytes` may be off, as a part of the size: the copy's rows may lie otherwise. */
const SIZE_SLACK = 0.25;

export function expectSizes(t: AdvisorContext, advice: Advice, built: readonly Built[]): void {
  for (const [index, { name, sizeBytes }] of advice.create.entries()) {
    const bytes = built[index]?.bytes ?? 0;
    t.ok(Math.abs(sizeBytes - bytes) <= bytes * SIZE_SLACK, "sizeBytes is the size when built", {
      expected: `about ${bytes} bytes`,
      received: `${sizeBytes} for ${name}`,
    });
  }
}

async function indexesOf(client: pg.Client): Promise<Found[]> {
  const { rows } = await client.query<Found>(`
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relname, i.indisvalid AS valid,
      i.indrelid::regclass::text AS "table", pg_get_indexdef(c.oid) AS definition,
      pg_relation_size(c.oid)::float8 AS bytes,
      concat_ws('|', i.indrelid, c.relam, i.indnkeyatts, i.indkey, i.indclass, i.indcollation, i.indoption,
        pg_get_expr(i.indexprs, i.indrelid), '/', pg_get_expr(i.indpred, i.indrelid)) AS signature,
      concat_ws('|', i.indrelid, c.relam, pg_get_expr(i.indpred, i.indrelid)) AS kind,
      ARRAY(SELECT CASE WHEN i.indkey[k] <> 0 THEN
          concat_ws('|', i.indkey[k], i.indclass[k], i.indcollation[k], i.indoption[k]) END
        FROM generate_series(0, i.indnkeyatts - 1) AS k) AS keys,
      ARRAY(SELECT i.indkey[k]::text FROM generate_series(0, i.indnatts - 1) AS k) AS carried
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') ORDER BY 1`);
  return rows;
}

function unquoted(identifier: string): string {
  return identifier.startsWith('"')
    ? identifier.slice(1, -1).replaceAll('""', '"')
    : identifier.toLowerCase();
}
