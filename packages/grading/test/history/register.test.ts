import { describe, expect, it } from "vitest";
import { checkRegister, type Operation, type RegisterOp, randomFrom } from "../../src/index.ts";
import { isLinearizable } from "./brute-force.ts";
import { registers } from "./objects.ts";

type Row = [op: RegisterOp, from: number, to: number, input?: unknown, result?: unknown];

/** Operations on one key, one process each. An end at Infinity means: it never answered. */
function on(key: string, ...rows: Row[]): Operation<RegisterOp>[] {
  return rows.map(([op, invokedAt, completedAt, input, result], index) => ({
    index,
    process: `p${index}`,
    op,
    value: key,
    invokedAt,
    completedAt,
    outcome: Number.isFinite(completedAt) ? "ok" : "unknown",
    ...(input === undefined ? {} : { input }),
    ...(result === undefined ? {} : { result }),
  }));
}

const never = Number.POSITIVE_INFINITY;

describe("histories with known verdicts", () => {
  const cases: [string, boolean, Row[]][] = [
    ["nothing", true, []],
    ["never written, nothing read", true, [["read", 0, 1, undefined, null]]],
    ["read what nobody wrote", false, [["read", 0, 1, undefined, 7]]],
    [
      "Herlihy and Wing 1990, figure 1, H1 as a register: overlapping writes, either may be last",
      true,
      [
        ["write", 0, 5, 0],
        ["write", 1, 6, 1],
        ["read", 7, 8, undefined, 0],
      ],
    ],
    [
      "Lamport 1986: a safe and regular register is not atomic (new, then old, while it is written)",
      false,
      [
        ["write", 0, 1, 1],
        ["write", 2, 20, 2],
        ["read", 3, 4, undefined, 2],
        ["read", 5, 6, undefined, 1],
      ],
    ],
    [
      "old, then new, while it is written",
      true,
      [
        ["write", 0, 1, 1],
        ["write", 2, 20, 2],
        ["read", 3, 4, undefined, 1],
        ["read", 5, 6, undefined, 2],
      ],
    ],
    [
      "sequentially consistent, not linearizable: a stale read",
      false,
      [
        ["write", 0, 1, 1],
        ["write", 2, 3, 2],
        ["read", 4, 5, undefined, 1],
      ],
    ],
    [
      "store buffering: a write is not visible when it was acknowledged",
      false,
      [
        ["write", 0, 1, 1],
        ["read", 2, 3, undefined, null],
      ],
    ],
    [
      "a write without an answer shows late",
      true,
      [
        ["write", 0, never, 1],
        ["read", 1, 2, undefined, null],
        ["write", 3, 4, 2],
        ["read", 5, 6, undefined, 1],
      ],
    ],
    [
      "a write without an answer happens only once",
      false,
      [
        ["write", 0, never, 1],
        ["read", 1, 2, undefined, 1],
        ["write", 3, 4, 2],
        ["read", 5, 6, undefined, 1],
      ],
    ],
    [
      "two readers disagree about the order of two writes",
      false,
      [
        ["write", 0, 20, 1],
        ["write", 0, 20, 2],
        ["read", 1, 2, undefined, 1],
        ["read", 3, 4, undefined, 2],
        ["read", 5, 6, undefined, 1],
      ],
    ],
    [
      "two compare-and-sets from the same value, both swapped: a lost update",
      false,
      [
        ["write", 0, 1, 1],
        ["cas", 2, 5, { from: 1, to: 2 }, true],
        ["cas", 3, 6, { from: 1, to: 3 }, true],
      ],
    ],
    [
      "two compare-and-sets from the same value, one swapped",
      true,
      [
        ["write", 0, 1, 1],
        ["cas", 2, 5, { from: 1, to: 2 }, true],
        ["cas", 3, 6, { from: 1, to: 3 }, false],
      ],
    ],
    [
      "a compare-and-set misses what is certainly there",
      false,
      [
        ["write", 0, 1, 1],
        ["cas", 2, 3, { from: 1, to: 2 }, false],
      ],
    ],
    [
      "a compare-and-set that misses makes a lost answer's write certain",
      false,
      [
        ["write", 0, 1, 1],
        ["write", 2, never, 2],
        ["cas", 3, 4, { from: 1, to: 5 }, false],
        ["read", 6, 7, undefined, 1],
      ],
    ],
    [
      "compare-and-sets without answers make a chain",
      true,
      [
        ["cas", 0, never, { from: 2, to: 3 }],
        ["cas", 0, never, { from: 1, to: 2 }],
        ["write", 1, 2, 1],
        ["read", 3, 4, undefined, 3],
      ],
    ],
  ];
  it.each(cases)("%s", (_, valid, rows) => {
    const verdict = checkRegister(on("x", ...rows));
    expect(verdict.valid).toBe(valid);
    expect(verdict.undecided).toEqual([]);
    expect(verdict.anomalies["not-linearizable"]).toEqual(valid ? [] : ["x"]);
    expect(verdict.counterexample.length > 0).toBe(!valid);
  });

  it("judges keys by themselves, and values by what they hold", () => {
    const good = on("good", ["write", 0, 1, { a: 1 }], ["read", 2, 3, undefined, { a: 1 }]);
    const bad = on("bad", ["write", 0, 1, { a: 1 }], ["read", 2, 3, undefined, { a: 2 }]);
    expect(checkRegister([...good, ...bad]).anomalies["not-linearizable"]).toEqual(["bad"]);
  });

  it("says undecided, and never valid, when the budget is over", () => {
    const history = registers({ random: randomFrom(1), count: 200, unknownPercent: 1 });
    expect(checkRegister(history, { budgetMs: -1 })).toMatchObject({
      valid: false,
      undecided: ["k1"],
      counterexample: [],
      summary: "Not decided within the budget: k1.",
    });
  });

  it("refuses operations that are no register's", () => {
    expect(() => checkRegister(on("x", ["cas", 0, 1, 7, true]))).toThrow(/cas with 7/);
    expect(() => checkRegister(on("x", ["cas", 0, 1, { from: 1, to: 2 }]))).toThrow(
      /true or false/,
    );
  });
});

/** One register, in the plainest words, for the brute-force judge. */
function apply(state: unknown, { op, input, outcome, result }: Operation): unknown {
  if (op === "write") return input;
  if (op === "read") return outcome !== "ok" || result === state ? state : undefined;
  const { from, to } = input as { from: unknown; to: unknown };
  if (outcome === "ok" && result !== (state === from)) return undefined;
  return state === from ? to : state;
}

describe("histories made at random", () => {
  it("agrees with brute force on 20 000 small histories", () => {
    const random = randomFrom(42);
    let valid = 0;
    for (let round = 0; round < 20_000; round++) {
      const value = () => random.int(1, 3);
      const rows = Array.from({ length: random.int(2, 7) }, (): Row => {
        const from = random.int(0, 12);
        const to = random.int(0, 6) === 0 ? never : from + random.int(0, 8);
        const op = random.pick(["read", "read", "write", "write", "cas"] as const);
        if (op === "read") return [op, from, to, undefined, random.pick([null, 1, 2, 3])];
        if (op === "write") return [op, from, to, value()];
        return [op, from, to, { from: value(), to: value() }, random.int(0, 1) === 1];
      });
      const history = on("x", ...rows);
      const expected = isLinearizable(history, null as unknown, apply);
      if (expected) valid++;
      const verdict = checkRegister(history);
      expect(verdict, JSON.stringify(rows)).toMatchObject({ valid: expected, undecided: [] });
      if (!expected) {
        const proof = verdict.counterexample;
        expect(isLinearizable(proof, null as unknown, apply), JSON.stringify(rows)).toBe(false);
      }
    }
    // Neither verdict is rare, or agreement would say little.
    expect(valid).toBeGreaterThan(4_000);
    expect(valid).toBeLessThan(16_000);
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))("judges mutations (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const history = registers({ random, count: 600, keys: 5, unknownPercent: 2, values: 100 });
    expect(checkRegister(history)).toMatchObject({ valid: true, undecided: [] });

    // An acknowledged write, alone in its time, is dropped: what follows at once still sees the old.
    const end = 1 + Math.max(...history.map((one) => Math.max(one.invokedAt, finite(one))));
    const alone = on("k1", ["write", end, end + 1, "old"], ["write", end + 2, end + 3, "new"]);
    const stale = on("k1", ["read", end + 4, end + 5, undefined, "old"]);
    const verdict = checkRegister([...history, ...alone, ...stale]);
    expect(verdict.anomalies["not-linearizable"]).toEqual(["k1"]);
    expect(verdict.counterexample).toEqual([...alone, ...stale]);

    // The results of the two reads of "old" and "new" are swapped.
    const reads = on(
      "k1",
      ["read", end + 1.2, end + 1.4, undefined, "new"],
      ["read", end + 4, end + 5, undefined, "old"],
    );
    expect(checkRegister([...history, ...alone, ...reads]).valid).toBe(false);
  });
});

describe("10 000 operations on one key, of ten clients, 1 % without an answer", () => {
  it.each([1, 2, 3, 4, 5])(
    "finds an order, and none for a value that nobody wrote (seed %i)",
    (seed) => {
      const history = registers({ random: randomFrom(seed), count: 10_000, unknownPercent: 1 });
      const budget = { budgetMs: 20_000 };
      expect(checkRegister(history, budget)).toMatchObject({ valid: true, undecided: [] });
      // Deep in a long history the search takes other ways back than in a short one.
      for (const share of [0.1, 0.5, 0.99]) {
        const at = history.findIndex(
          ({ op, outcome, index }) => op === "read" && outcome === "ok" && index > share * 10_000,
        );
        const wrong = history.with(at, {
          ...(history[at] as Operation<RegisterOp>),
          result: "odd",
        });
        expect(checkRegister(wrong, budget).counterexample).toEqual([wrong[at]]);
      }
    },
  );
});

function finite({ completedAt }: Operation): number {
  return Number.isFinite(completedAt) ? completedAt : 0;
}
