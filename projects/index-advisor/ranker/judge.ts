/** How well an order of candidates does, statement by statement. */
import { mean } from "d3-array";
import type { DataRow } from "./data.ts";
import { HELPS, helped } from "./examples.ts";

/** A way to tell which candidate of a statement is best. */
export interface Order {
  /** Higher is better. */
  readonly score: (row: DataRow) => number;
  /** Whether it says that the candidate helps. */
  readonly says: (row: DataRow) => boolean;
  /** What it asks the planner about the candidate. */
  readonly calls: (row: DataRow) => number;
}

export interface Judged {
  /** Of those that it says help, how many do: 0 … 1. */
  readonly precision: number;
  /** Of those that help, how many it says: 0 … 1. */
  readonly recall: number;
  /** Share of the pairs of a helping and a useless candidate of one statement that are in the right order. */
  readonly rightOrder: number;
  /** Milliseconds with the best of the first k in proportion to the best of all, less 1; the mean. 0 is perfect. */
  readonly regret: (k: number) => number;
  /** Planner's calls per statement. */
  readonly calls: number;
}

/** Statements without a candidate that helps teach nothing about order; they count for precision. */
export function judgeOrder(rows: readonly DataRow[], order: Order): Judged {
  const said = rows.filter(order.says);
  const help = rows.filter(helped);
  const statements = [...Map.groupBy(rows, ({ statement }) => statement).values()];
  const worthwhile = statements.filter((each) => each.some(helped));
  return {
    precision: said.filter(helped).length / said.length,
    recall: said.filter(helped).length / help.length,
    rightOrder: mean(worthwhile.map((each) => inOrder(each, order)).filter(Number.isFinite)) ?? 0,
    regret: (k) => mean(worthwhile.map((each) => regretOf(each, order, k))) ?? 0,
    calls:
      mean(statements.map((each) => each.reduce((sum, row) => sum + order.calls(row), 0))) ?? 0,
  };
}

function inOrder(rows: readonly DataRow[], { score }: Order): number {
  const [good, bad] = [rows.filter(helped), rows.filter((row) => !helped(row))];
  const pairs = good.flatMap((a) => bad.map((b) => Math.sign(score(a) - score(b))));
  return mean(pairs.map((sign) => (sign + 1) / 2)) ?? Number.NaN;
}

function regretOf(rows: readonly DataRow[], { score }: Order, k: number): number {
  const best = (of: readonly DataRow[]) => Math.min(...of.map(({ afterMs }) => afterMs));
  const first = rows.toSorted((a, b) => score(b) - score(a)).slice(0, k);
  // Whoever builds none of them loses nothing but the time that was to be saved.
  const without = rows[0]?.beforeMs ?? 0;
  return Math.min(without, best(first)) / best(rows) - 1;
}

/** What the planner says of indexes that it can pretend; the others it doesn't know. */
export function whatIf(costRatio: (row: DataRow) => number): Order {
  const known = (row: DataRow) => Number.isFinite(costRatio(row));
  return {
    score: (row) => (known(row) ? -costRatio(row) : 0),
    says: (row) => known(row) && costRatio(row) <= Math.log10(HELPS),
    calls: (row) => (known(row) ? 1 : 0),
  };
}
