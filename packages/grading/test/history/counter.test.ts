import { describe, expect, it } from "vitest";
import { type CounterOp, checkCounter, type Operation, randomFrom } from "../../src/index.ts";
import { isLinearizable } from "./brute-force.ts";
import { counter } from "./objects.ts";
import { endOf, historyOf, never, type Row } from "./rows.ts";

const plus = (input: number) => ({ input });
const sees = (result: number) => ({ result });
const seeds = Array.from({ length: 20 }, (_, seed) => seed);

describe("histories with known verdicts", () => {
  const cases: [string, string[], Row<CounterOp>[]][] = [
    ["nothing", [], []],
    [
      "added, read",
      [],
      [
        ["add", 0, 1, plus(2)],
        ["read", 2, 3, sees(2)],
      ],
    ],
    [
      "an addition is lost",
      ["impossible"],
      [
        ["add", 0, 1, plus(2)],
        ["read", 2, 3, sees(0)],
      ],
    ],
    [
      "an addition counts twice",
      ["impossible"],
      [
        ["add", 0, 1, plus(2)],
        ["read", 2, 3, sees(4)],
      ],
    ],
    [
      "an addition without an answer counts later",
      [],
      [
        ["add", 0, never, plus(2)],
        ["read", 2, 3, sees(0)],
        ["read", 4, 5, sees(2)],
      ],
    ],
    [
      "it counted, and then did not",
      ["contradictory"],
      [
        ["add", 0, never, plus(2)],
        ["read", 2, 3, sees(2)],
        ["read", 4, 5, sees(0)],
      ],
    ],
    [
      "an addition that failed counts",
      ["impossible"],
      [
        ["add", 0, 1, { input: 2, outcome: "fail" }],
        ["read", 2, 3, sees(2)],
      ],
    ],
    [
      "possible at the ends of a read together, at no one moment",
      ["impossible"],
      [
        ["read", 0, 10, sees(-1)],
        ["add", 1, 2, plus(2)],
        ["add", 4, 5, plus(-2)],
      ],
    ],
  ];
  it.each(cases)("%s", (_, kinds, rows) => {
    const verdict = checkCounter(historyOf("c", ...rows));
    const found = Object.entries(verdict.anomalies).filter(([, subjects]) => subjects.length > 0);
    expect(found.map(([kind]) => kind)).toEqual(kinds);
    expect(verdict.valid).toBe(kinds.length === 0);
    expect(verdict.counterexample.length > 0).toBe(!verdict.valid);
  });

  it("names few operations, though many went before", () => {
    const many = Array.from({ length: 50 }, (_, i): Row<CounterOp> => ["add", i, i + 0.5, plus(1)]);
    const before = historyOf<CounterOp>("c", ...many, ["read", 51, 52, sees(50)]);
    const [add, read] = historyOf<CounterOp>(
      "c",
      ["add", 53, 54, plus(1)],
      ["read", 55, 56, sees(50)],
    );
    const verdict = checkCounter([...before, add, read] as Operation<CounterOp>[]);
    expect(verdict.counterexample).toEqual([before.at(-1), add, read]);
    expect(verdict.summary).toBe("A read of c saw 50; it had to be 51 after one that saw 50.");
  });

  it("refuses what is no number", () => {
    expect(() => checkCounter(historyOf("c", ["add", 0, 1, { input: "1" }]))).toThrow(
      /not a number/,
    );
  });
});

describe("histories made at random", () => {
  it.each(seeds)("judges mutations (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const history = counter({ random, count: 600, unknownPercent: 2 });
    expect(checkCounter(history)).toMatchObject({ valid: true });
    // The effect of an acknowledged addition is dropped, or counts twice, larger than all doubt.
    const at = endOf(history);
    const certain = historyOf<CounterOp>("c", ["add", at, at + 1, plus(1_000_000)]);
    for (const wrong of [0, 2_000_000]) {
      const read = historyOf<CounterOp>("c", ["read", at + 2, at + 3, sees(wrong)]);
      const verdict = checkCounter([...history, ...certain, ...read]);
      expect(verdict.anomalies.impossible).toEqual(["c"]);
      expect(checkCounter(verdict.counterexample as Operation<CounterOp>[]).valid).toBe(false);
    }
  });

  it.each(seeds)("finds two results swapped that nothing overlaps (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const history = counter({ random, count: 300, processes: 1 });
    const reads = history.filter(({ op }) => op === "read");
    const one = random.pick(reads);
    const other = reads.find(({ result }) => result !== one.result) as Operation<CounterOp>;
    const swapped = history.map((it) =>
      it === one
        ? { ...it, result: other.result }
        : it === other
          ? { ...it, result: one.result }
          : it,
    );
    expect(checkCounter(history).valid).toBe(true);
    expect(checkCounter(swapped).valid).toBe(false);
  });

  it("accepts whatever brute force accepts, and of unit increments nothing more on one read", () => {
    const random = randomFrom(7);
    let valid = 0;
    for (let round = 0; round < 10_000; round++) {
      const reads = random.int(1, 3);
      const rows = Array.from({ length: random.int(2, 7) }, (_, i): Row<CounterOp> => {
        const from = random.int(0, 12);
        const to = random.int(0, 6) === 0 && i >= reads ? never : from + random.int(0, 8);
        return i < reads ? ["read", from, to, sees(random.int(0, 4))] : ["add", from, to, plus(1)];
      });
      const history = historyOf<CounterOp>("c", ...rows);
      const expected = isLinearizable(history, 0, (count, { op, input, result }) =>
        op === "add" ? count + (input as number) : count === result ? count : undefined,
      );
      if (expected) valid++;
      const verdict = checkCounter(history);
      if (expected || reads === 1) expect(verdict.valid, JSON.stringify(rows)).toBe(expected);
    }
    expect(valid).toBeGreaterThan(1_500);
  });
});
