/** Training and judging by templates, so that none is on both sides. */
import { createHash } from "node:crypto";
import { fingerprintSync } from "libpg-query";
import type { Split } from "../contract.ts";
import { grammar, statementsOf } from "./sql/tree.ts";

/** Of the statements, one in so many is for judging. */
const TEST_SHARE = 4;

/**
 * A text that PostgreSQL's grammar doesn't accept has a template as well: what is left without constants,
 * lists' lengths, white space and case.
 */
function normalised(sql: string): string {
  return sql
    .replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, " ")
    .replaceAll(/'(?:[^']|'')*'|\$\d+|\b\d+(?:\.\d+)?\b/g, "?")
    .toLowerCase()
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\?(?: ?, ?\?)+/g, "?")
    .replaceAll(/ ?([(),;=<>]) ?/g, "$1")
    .replace(/;+$/, "")
    .trim();
}

/** Names of tables, wherever the tree has them, in its order. */
function tablesOf(sql: string): readonly string[] {
  const tree = JSON.stringify(statementsOf(sql));
  return tree.match(/"relname":"(?:[^"\\]|\\.)*"/g) ?? [];
}

/**
 * libpg_query's fingerprint leaves out constants, parameters and the lengths of lists. It tells `= 5` and
 * `IN (5)` not apart, which is on the safe side; nor `lines_1` and `lines_2`, which are two tables here.
 */
function templateOf(sql: string): string {
  try {
    return [fingerprintSync(sql), ...tablesOf(sql)].join(" ");
  } catch {
    return normalised(sql);
  }
}

/** The same for the same `sql` and `seed`. @param seed any integer */
export async function split(sql: readonly string[], seed: number): Promise<Split> {
  await grammar();
  const templates = Map.groupBy(sql.keys(), (position) => templateOf(sql[position] ?? ""));
  // By hash and not by place: a template's side doesn't hang on what else is there, as far as can be.
  const drawn = [...templates]
    .map(([template, positions]) => ({
      order: createHash("sha256").update(`${seed} ${template}`).digest("hex"),
      positions,
    }))
    .toSorted((a, b) => (a.order < b.order ? -1 : 1));
  const test: number[] = [];
  const train: number[] = [];
  const wanted = sql.length / TEST_SHARE;
  for (const [n, { positions }] of drawn.entries()) {
    const last = n === drawn.length - 1;
    const without = Math.abs(wanted - test.length);
    const nearer = Math.abs(wanted - test.length - positions.length) < without;
    // The last one closes the side that would be empty.
    const goes = last && train.length === 0 ? false : nearer || (last && test.length === 0);
    (goes && drawn.length > 1 ? test : train).push(...positions);
  }
  const ascending = (a: number, b: number) => a - b;
  return { train: train.toSorted(ascending), test: test.toSorted(ascending) };
}
