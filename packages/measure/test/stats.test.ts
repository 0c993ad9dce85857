import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { growth, judge, Latencies, pairedDifference, pairedRatio, typical } from "../src/index.ts";
import { turnsToDecide } from "../src/stats/estimate.ts";
import { Pool } from "../src/stats/pool.ts";
import { randomFrom } from "../src/stats/random.ts";

const turns = (count: number, of: (turn: number) => number) =>
  Array.from({ length: count }, (_, i) => of(i));

describe("a judgement", () => {
  const interval = { low: 2, high: 3 };
  it.each([
    ["<", 4, "held"],
    ["<", 3, "inconclusive"],
    ["<=", 3, "held"],
    ["<", 2, "falsified"],
    ["<=", 2, "inconclusive"],
    [">", 1, "held"],
    [">=", 2, "held"],
    [">", 3, "falsified"],
    [">", 2.5, "inconclusive"],
  ] as const)("2 … 3 %s %d is %s", (comparator, bound, expected) => {
    expect(judge(interval, comparator, bound)).toBe(expected);
  });

  it("says nothing without an interval", () => {
    expect(judge({ low: Number.NaN, high: Number.NaN }, "<", 4)).toBe("inconclusive");
  });
});

describe("pairs", () => {
  it("what the machine does to both cancels out", () => {
    const machine = turns(20, (turn) => 1 + turn);
    const ratio = pairedRatio(
      machine.map((each) => each / 2),
      machine,
    );
    expect(ratio.value).toBeCloseTo(0.5);
    expect(ratio.low).toBeCloseTo(0.5);
    expect(ratio.high).toBeCloseTo(0.5);
  });

  it("a few turns that met something else don't move the ratio", () => {
    const theirs = turns(30, () => 10);
    const ours = turns(30, (turn) => (turn % 10 === 0 ? 500 : 11));
    expect(pairedRatio(ours, theirs).value).toBeCloseTo(1.1);
  });

  it("the same seed gives the same interval, and four turns give none", () => {
    const random = randomFrom(5);
    const values = turns(20, random);
    expect(typical(values, { seed: 3 })).toEqual(typical(values, { seed: 3 }));
    expect(typical(values, { seed: 3 })).not.toEqual(typical(values, { seed: 4 }));
    expect(typical(values.slice(0, 4))).toMatchObject({ low: Number.NaN, high: Number.NaN });
  });

  it("zero has a difference and no ratio", () => {
    const zeros = turns(6, () => 0);
    expect(() => pairedRatio(zeros, zeros)).toThrow(RangeError);
    expect(pairedDifference(zeros, zeros)).toEqual({ value: 0, low: 0, high: 0 });
  });
});

describe("growth", () => {
  const sizes = [1_000, 4_000, 16_000, 64_000];
  const noisy = (exponent: number, seed = 1) => {
    const random = randomFrom(seed);
    return sizes.map((size) => ({
      size,
      values: turns(12, () => 0.02 * size ** exponent * (0.9 + 0.2 * random())),
    }));
  };

  it.each([0, 0.5, 1, 2])("finds exponent %d, inside of its interval", (exponent) => {
    const found = growth(noisy(exponent));
    expect(found.exponent.value).toBeCloseTo(exponent, 1);
    expect(found.exponent.low).toBeLessThanOrEqual(exponent + 0.02);
    expect(found.exponent.high).toBeGreaterThanOrEqual(exponent - 0.02);
    expect(found.worstFit).toBeLessThan(1.1);
  });

  it("one odd size out of six doesn't tilt the line, and shows in the fit", () => {
    const odd = [1, 2, 4, 8, 16, 32].map((size) => ({
      size,
      values: turns(6, () => (size === 8 ? 100 : size)),
    }));
    const found = growth(odd);
    expect(found.exponent.value).toBeCloseTo(1, 1);
    expect(found.worstFit).toBeGreaterThan(10);
  });

  it("three sizes are too few", () => {
    expect(() => growth(noisy(1).slice(1))).toThrow("at least 4 sizes");
  });
});

describe("latencies", () => {
  const latency = fc.double({ min: 0.001, max: 60_000, noNaN: true });

  it("quantiles are within a thousandth, also after encoding and in a pool of several turns", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(latency, { minLength: 1, maxLength: 40 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.constantFrom(0.5, 0.9, 0.99, 1),
        (rounds, share) => {
          const sorted = rounds.flat().sort((one, other) => one - other);
          const exact = sorted[Math.ceil(share * sorted.length - 1e-9) - 1] as number;
          const recorded = rounds.map((round) => {
            const latencies = new Latencies();
            for (const each of round) latencies.record(each);
            return Latencies.decode(latencies.encode());
          });
          const pooled = new Pool(recorded).quantile(recorded.keys(), share);
          expect(Math.abs(pooled - exact)).toBeLessThanOrEqual(exact * 0.001 + 1e-6);
          if (rounds.length === 1) expect(recorded[0]?.quantile(share)).toBeCloseTo(pooled, 6);
        },
      ),
    );
  });

  it("a turn that is picked twice counts twice", () => {
    const [fast, slow] = [1, 100].map((ms) => {
      const latencies = new Latencies();
      latencies.record(ms);
      return latencies;
    }) as [Latencies, Latencies];
    const pool = new Pool([fast, slow]);
    expect(pool.mean([0, 0, 1])).toBeCloseTo(34, 0);
    expect(pool.quantile([0, 0, 1], 0.5)).toBeCloseTo(1, 2);
    expect(pool.quantile([0, 1, 1], 0.5)).toBeCloseTo(100, 0);
  });
});

describe("turns that would decide", () => {
  const estimate = { value: 1.1, low: 0.9, high: 1.3 };

  it("grow with the square of how far the interval reaches beyond the bound", () => {
    const near = turnsToDecide(estimate, 1.05, 10);
    expect(turnsToDecide(estimate, 1, 10) * 4).toBeCloseTo(near, -1);
    // An interval that ends at the bound decides in half of all runs: four of five take twice as many.
    expect(turnsToDecide(estimate, 0.9, 100)).toBe(205);
    expect(turnsToDecide({ value: 0.5, low: 0.25, high: 1 }, 1, 100, Math.log)).toBe(205);
  });

  it("are none where what was measured is the bound, or there is no interval", () => {
    expect(turnsToDecide(estimate, 1.1, 10)).toBe(Number.POSITIVE_INFINITY);
    const none = { value: 1, low: Number.NaN, high: Number.NaN };
    expect(turnsToDecide(none, 2, 10)).toBeNaN();
  });
});
