/** What training data is made from: tables with rows, and statements over them. */
import type { Random } from "@db-katas/grading";

export interface Template {
  /** Unique among all schemas. */
  readonly id: string;
  /** A statement with constants drawn for it: a `SELECT`. */
  readonly sql: (random: Random) => string;
}

export interface Schema {
  readonly name: string;
  /** Rows of the biggest table. */
  readonly rows: number;
  /** Creates and fills the tables, one statement each, in the first schema of the search path. */
  readonly setup: (rows: number) => readonly string[];
  readonly templates: readonly Template[];
}

/** Templates of one schema, by name. */
export function templates(
  schema: string,
  of: Readonly<Record<string, Template["sql"]>>,
): readonly Template[] {
  return Object.entries(of).map(([name, sql]) => ({ id: `${schema}/${name}`, sql }));
}

/**
 * SQL for a number in [0, 1) that a row's number and a salt decide: the same rows each time, without
 * the session's `random()`.
 */
export function share(salt: number, of = "n"): string {
  return `(((hashint8extended(${of}::bigint, ${salt}) & 1073741823)::float8) / 1073741824)`;
}

/** SQL for a whole number in [0, below). */
export function whole(salt: number, below: number | string, of = "n"): string {
  return `floor(${share(salt, of)} * ${below})::int`;
}

/** The same, with few that are frequent and many that are rare. */
export function skewed(salt: number, below: number | string, of = "n"): string {
  return `floor(power(${share(salt, of)}, 3) * ${below})::int`;
}
