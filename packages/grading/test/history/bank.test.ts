import { describe, expect, it } from "vitest";
import { type BankOp, checkBank, type Operation, randomFrom } from "../../src/index.ts";
import { isLinearizable } from "./brute-force.ts";
import { bank, openingBalances } from "./objects.ts";
import { endOf, historyOf, never, type Row } from "./rows.ts";

const pay = (from: string, to: string, amount: number) => ({ input: { from, to, amount } });
const sees = (a: number, b: number) => ({ result: { a, b } });
const accounts = { a: 10, b: 0 };

describe("histories with known verdicts", () => {
  const cases: [string, string[], Row<BankOp>[]][] = [
    [
      "moved, read",
      [],
      [
        ["transfer", 0, 1, pay("a", "b", 4)],
        ["read", 2, 3, sees(6, 4)],
      ],
    ],
    [
      "half of a transfer is seen",
      ["wrong-total"],
      [
        ["transfer", 0, 9, pay("a", "b", 4)],
        ["read", 2, 3, sees(6, 1)],
      ],
    ],
    [
      "below zero",
      ["negative"],
      [
        ["transfer", 0, 1, pay("a", "b", 12)],
        ["read", 2, 3, sees(-2, 12)],
      ],
    ],
    [
      "a transfer is lost",
      ["unexplained"],
      [
        ["transfer", 0, 1, pay("a", "b", 4)],
        ["read", 2, 3, sees(10, 0)],
      ],
    ],
    [
      "a transfer without an answer, in time",
      [],
      [
        ["transfer", 0, never, pay("a", "b", 4)],
        ["read", 2, 3, sees(10, 0)],
        ["read", 4, 5, sees(6, 4)],
      ],
    ],
    [
      "a transfer without an answer, undone",
      ["unexplained"],
      [
        ["transfer", 0, never, pay("a", "b", 4)],
        ["read", 2, 3, sees(6, 4)],
        ["read", 4, 5, sees(10, 0)],
      ],
    ],
    ["an account is missing", ["incomplete"], [["read", 0, 1, { result: { a: 10 } }]]],
    ["no balances at all", ["incomplete"], [["read", 0, 1, { result: null }]]],
    ["an account is made up", ["incomplete"], [["read", 0, 1, { result: { a: 10, b: 0, x: 0 } }]]],
  ];
  it.each(cases)("%s", (_, kinds, rows) => {
    const verdict = checkBank(historyOf("all", ...rows), { accounts });
    const found = Object.entries(verdict.anomalies).filter(([, subjects]) => subjects.length > 0);
    expect(found.map(([kind]) => kind)).toEqual(kinds);
    expect(verdict.valid).toBe(kinds.length === 0);
    expect(verdict.counterexample.length > 0).toBe(!verdict.valid);
  });

  it("lets balances be negative where that is allowed", () => {
    const history = historyOf<BankOp>(
      "all",
      ["transfer", 0, 1, pay("a", "b", 12)],
      ["read", 2, 3, sees(-2, 12)],
    );
    expect(checkBank(history, { accounts, allowNegative: true }).valid).toBe(true);
  });

  it("refuses a transfer to nowhere", () => {
    const history = historyOf<BankOp>("all", ["transfer", 0, 1, pay("a", "x", 1)]);
    expect(() => checkBank(history, { accounts })).toThrow(RangeError);
  });
});

describe("histories made at random", () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))("judges mutations (seed %i)", (seed) => {
    const random = randomFrom(seed);
    const options = { accounts: openingBalances };
    const history = bank({ random, count: 400, unknownPercent: 1 });
    expect(checkBank(history, options)).toMatchObject({ valid: true });

    const reads = history.filter(({ op, outcome }) => op === "read" && outcome === "ok");
    const read = random.pick(reads);
    const { a, b, ...rest } = read.result as Record<"a" | "b", number>;
    const replaced = (result: unknown) =>
      checkBank(
        history.map((it) => (it === read ? { ...it, result } : it)),
        options,
      );
    expect(replaced({ ...rest, a: a + 1, b }).anomalies["wrong-total"]).toEqual([
      `read ${read.index}`,
    ]);
    expect(replaced({ ...rest, a: -1, b: b + a + 1 }).anomalies.negative).toEqual([
      `read ${read.index}`,
    ]);

    // An acknowledged transfer leaves no trace: two reads, all alone, see the same.
    const at = endOf(history);
    const last = { result: reads.at(-1)?.result };
    const lost = historyOf<BankOp>(
      "all",
      ["read", at, at + 1, last],
      ["transfer", at + 2, at + 3, pay("a", "b", 100_000)],
      ["read", at + 4, at + 5, last],
    );
    const verdict = checkBank([...history, ...lost], options);
    expect(verdict.anomalies.unexplained.length).toBeGreaterThan(0);
  });

  it("accepts whatever brute force accepts", () => {
    const random = randomFrom(3);
    let valid = 0;
    for (let round = 0; round < 10_000; round++) {
      const rows = Array.from({ length: random.int(1, 6) }, (): Row<BankOp> => {
        const from = random.int(0, 12);
        const to = from + random.int(0, 8);
        if (random.int(0, 2) === 0) {
          const moved = random.int(0, 4);
          return ["read", from, to, sees(10 - moved, moved)];
        }
        const end = random.int(0, 6) === 0 ? never : to;
        return [
          "transfer",
          from,
          end,
          pay(...(random.shuffle(["a", "b"]) as ["a", "b"]), random.int(1, 3)),
        ];
      });
      const history = historyOf<BankOp>("all", ...rows);
      const expected = isLinearizable(history, 10, (a, { op, input, result }) => {
        if (op === "read") return (result as { a: number }).a === a ? a : undefined;
        const { from, amount } = input as { from: string; amount: number };
        return from === "a" ? a - amount : a + amount;
      });
      if (!expected) continue;
      valid++;
      expect(
        checkBank(history, { accounts, allowNegative: true }).valid,
        JSON.stringify(rows),
      ).toBe(true);
    }
    expect(valid).toBeGreaterThan(1_000);
  });

  it("proves what it says by itself", () => {
    const random = randomFrom(5);
    const history = bank({ random, count: 400 });
    const read = history.findLast(({ op, outcome }) => op === "read" && outcome === "ok");
    const wrong = history.map((it) =>
      it === read ? { ...it, result: { a: 500, b: 0, c: 0, d: 0, e: 0 } } : it,
    );
    const verdict = checkBank(wrong, { accounts: openingBalances });
    expect(verdict.anomalies.unexplained).not.toEqual([]);
    const proof = verdict.counterexample as Operation<BankOp>[];
    expect(proof.length).toBeLessThan(30);
    expect(checkBank(proof, { accounts: openingBalances }).valid).toBe(false);
  });
});
