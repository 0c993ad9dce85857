/**
 * Randomness that the server draws by itself, so that rows needn't travel: SQL expressions that depend
 * on a row's number, a name and the seed, and on nothing else.
 */
import { createHash } from "node:crypto";

/** All arguments that are texts are SQL. */
export interface Draws {
  /** `bigint` in [0, 2⁶²). @param name of what is drawn: another name, another number */
  bits(row: string, name: string): string;
  /** `double precision` in [0, 1). */
  share(row: string, name: string): string;
  /** `integer` in [low, high], each as likely as the other. */
  integer(row: string, name: string, low: number | string, high: number | string): string;
  /** `integer` in [1, count], the low ones much more often: `power` 1 is even, 3 gives the first 1 % of them 22 % of the rows. */
  skewed(row: string, name: string, count: number, power?: number): string;
  /** One of some texts. */
  pick(row: string, name: string, texts: readonly string[]): string;
}

export function drawsFrom(seed: number): Draws {
  // Not documented, but what hash partitions are made by since PostgreSQL 11, and so never changed.
  const bits = (row: string, name: string) =>
    `(hashint8extended(${row}, ${saltOf(seed, name)}) & 4611686018427387903)`;
  const share = (row: string, name: string) =>
    `(${bits(row, name)} / 4611686018427387904.0::float8)`;
  return {
    bits,
    share,
    integer: (row, name, low, high) =>
      `(${low} + ${bits(row, name)} % (${high} - ${low} + 1))::integer`,
    skewed: (row, name, count, power = 3) =>
      `(1 + floor(${count} * power(${share(row, name)}, ${power})))::integer`,
    pick: (row, name, texts) => `(${arrayOf(texts)})[1 + ${bits(row, name)} % ${texts.length}]`,
  };
}

/** `ARRAY['a', 'b']` */
export function arrayOf(texts: readonly string[]): string {
  return `ARRAY[${texts.map(quoted).join(", ")}]`;
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A positive bigint. */
function saltOf(seed: number, name: string): bigint {
  return createHash("sha256").update(`${seed}/${name}`).digest().readBigUInt64LE(0) >> 1n;
}
