/** Extend on costs that are made up, so that the right answer is known. */
import { describe, expect, test } from "vitest";
import type { Candidate, Query, SelectionRequest, WhatIf } from "../src/model.ts";
import { extend } from "../src/select/extend.ts";
import { candidate, columnsOf, query } from "./sketch.ts";

const MiB = 2 ** 20;

interface World {
  /** Cost of a query by the columns of the index that serves it; `""` without any. The best one counts. */
  readonly costs: Readonly<Record<string, number>>[];
  readonly bytes?: Readonly<Record<string, number>>;
  readonly budgetBytes?: number;
  readonly writeCost?: SelectionRequest["writeCost"];
  /** How often the planner may be asked before time is up. */
  readonly questions?: number;
  /** Columns of what was chosen before. */
  readonly kept?: readonly string[];
}

async function chosen({ costs, bytes = {}, budgetBytes, writeCost, questions, kept = [] }: World) {
  const time = new AbortController();
  const columns = [...new Set(costs.flatMap((each) => Object.keys(each)))].filter((c) => c !== "");
  const queries = costs.map((each, statement) =>
    query(
      statement,
      `SELECT ${statement}`,
      Object.keys(each).flatMap((c) => c.split(",")),
    ),
  );
  const candidates = columns.map((each) =>
    candidate(
      each.split(","),
      costs.flatMap((cost, statement) => (each in cost ? [statement] : [])),
    ),
  );
  const planOf = ({ statement }: Query, set: readonly Candidate[]) => {
    const cost = (each: readonly Candidate[]) =>
      costs[statement]?.[columnsOf(each)[0] ?? ""] ?? Number.POSITIVE_INFINITY;
    const plans = [[], ...set.map((one) => [one])];
    const used = plans.toSorted((a, b) => cost(a) - cost(b))[0] ?? [];
    return { cost: cost(used), used };
  };
  let plans = 0;
  const whatIf: WhatIf = {
    kind: "hypopg",
    calls: 0,
    costs: async (asked, set) => asked.map((each) => planOf(each, set).cost),
    plan: async (asked, set) => {
      if (++plans === questions) time.abort();
      return planOf(asked, set);
    },
    size: async (each) => bytes[columnsOf([each])[0] ?? ""] ?? MiB,
    async [Symbol.asyncDispose]() {},
  };
  const set = await extend({
    queries,
    candidates: candidates.filter((each) => !kept.includes(columnsOf([each])[0] ?? "")),
    kept: candidates.filter((each) => kept.includes(columnsOf([each])[0] ?? "")),
    whatIf,
    budgetBytes: budgetBytes ?? Number.POSITIVE_INFINITY,
    writeCost: writeCost ?? (() => 0),
    signal: time.signal,
  });
  return columnsOf(set);
}

describe("Extend", () => {
  test("takes what saves, and nothing else", async () => {
    expect(await chosen({ costs: [{ "": 100, a: 5, b: 100 }] })).toEqual(["a"]);
    expect(await chosen({ costs: [{ "": 100, a: 100 }] })).toEqual([]);
  });

  test("makes an index longer instead of adding one that begins with it", async () => {
    expect(
      await chosen({
        costs: [
          { "": 100, a: 20, "a,b": 22 },
          { "": 100, a: 50, "a,b": 1 },
        ],
      }),
    ).toEqual(["a,b"]);
  });

  test("counts what one saves beside the others, not alone", async () => {
    // Alone, a saves most; but b and c together do all that it does.
    const costs = [
      { "": 100, a: 10, b: 5 },
      { "": 100, a: 10, c: 5 },
    ];
    expect(await chosen({ costs })).toEqual(["b", "c"]);
  });

  test("keeps to the budget, and doesn't fill it with crumbs", async () => {
    const world = {
      costs: [
        { "": 1_000, a: 10 },
        { "": 20, b: 1 },
      ],
      bytes: { a: 10 * MiB, b: 0.1 * MiB },
      budgetBytes: 10 * MiB,
    };
    expect(await chosen(world)).toEqual(["a"]);
    expect(await chosen({ ...world, budgetBytes: MiB })).toEqual(["b"]);
    expect(await chosen({ ...world, budgetBytes: 0 })).toEqual([]);
  });

  test("leaves out what writes pay more for than reads save", async () => {
    const writeCost: SelectionRequest["writeCost"] = ({ statement }, { index }) =>
      statement === 1 && index.keys[0]?.column === "a" ? 200 : 0;
    expect(await chosen({ costs: [{ "": 100, a: 1, b: 30 }, { "": 1 }], writeCost })).toEqual([
      "b",
    ]);
  });

  test("adds to what was chosen before, and leaves that alone", async () => {
    const costs = [
      { "": 100, a: 10, b: 5 },
      { "": 100, c: 5 },
    ];
    // b does better than a, and takes too much beside it.
    const world = { costs, kept: ["a"], budgetBytes: 2 * MiB };
    expect(await chosen(world)).toEqual(["a", "c"]);
    expect(await chosen({ ...world, kept: [] })).toEqual(["b", "c"]);
  });

  test("when time is up, has what statements would like best, as far as there is room", async () => {
    const world = {
      costs: [
        { "": 100, a: 10 },
        { "": 900, b: 5 },
        { "": 500, c: 5 },
      ],
      // Two or three for each statement.
      questions: 6,
    };
    expect(await chosen(world)).toEqual(["a", "b"]);
    expect(await chosen({ ...world, questions: 9 })).toEqual(["a", "b", "c"]);
    expect(await chosen({ ...world, questions: 9, budgetBytes: 2 * MiB })).toEqual(["b", "c"]);
  });
});
