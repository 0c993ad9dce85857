import { describe, expect, it } from "vitest";
import { checkWindows, type Operation, type Random, randomFrom } from "../../src/index.ts";
import { historyOf, never, type Row } from "./rows.ts";

const refused = { outcome: "fail" } as const;
const rule = { limit: 2, windowMs: 100 };

describe("histories with known verdicts", () => {
  const cases: [string, string[], Row<"admit">[], number?][] = [
    ["nothing", [], []],
    [
      "as many as may be",
      [],
      [
        ["admit", 0, 1],
        ["admit", 1, 2],
        ["admit", 3, 4, refused],
      ],
    ],
    [
      "one more",
      ["too-many"],
      [
        ["admit", 0, 1],
        ["admit", 1, 2],
        ["admit", 98, 99],
      ],
    ],
    [
      "a window later",
      [],
      [
        ["admit", 0, 1],
        ["admit", 1, 2],
        ["admit", 100, 101],
      ],
    ],
    [
      "it may have been admitted when it was asked for",
      [],
      [
        ["admit", 0, 101],
        ["admit", 1, 2],
        ["admit", 99, 100],
      ],
    ],
    [
      "around the edge of a window that is aligned to the clock",
      ["too-many"],
      [
        ["admit", 190, 191],
        ["admit", 192, 193],
        ["admit", 201, 202],
        ["admit", 203, 204],
      ],
    ],
    [
      "what was never answered proves nothing, and explains a refusal",
      [],
      [
        ["admit", 1, never],
        ["admit", 3, 4],
        ["admit", 500, 501],
        ["admit", 502, 503, refused],
      ],
    ],
    [
      "refused with room left",
      ["refused-early"],
      [
        ["admit", 0, 1],
        ["admit", 2, 3, refused],
      ],
    ],
    [
      "refused after its window",
      ["refused-early"],
      [
        ["admit", 0, 1],
        ["admit", 1, 2],
        ["admit", 103, 104, refused],
      ],
    ],
    [
      "the clocks may be that far apart",
      [],
      [
        ["admit", 0, 1],
        ["admit", 1, 2],
        ["admit", 98, 99],
        ["admit", 108, 109, refused],
      ],
      10,
    ],
  ];
  it.each(cases)("%s", (_, kinds, rows, skewMs) => {
    const options = skewMs === undefined ? rule : { ...rule, skewMs };
    const verdict = checkWindows(historyOf("client", ...rows), options);
    const found = Object.entries(verdict.anomalies).filter(([, subjects]) => subjects.length > 0);
    expect(found.map(([kind]) => kind)).toEqual(kinds);
    expect(verdict.valid).toBe(kinds.length === 0);
  });

  it("says which calls prove it, and each of them is needed", () => {
    const rows: Row<"admit">[] = [
      ["admit", 0, 1],
      ["admit", 150, 151],
      ["admit", 160, 161],
    ];
    const history = historyOf("ann", ...rows, ["admit", 170, 172]);
    const { counterexample, summary } = checkWindows(history, rule);
    expect(counterexample).toEqual(history.slice(1));
    expect(summary).toBe("3 were admitted for ann within 22.0 ms; 2 may be in 100 ms.");
    for (const left of history.slice(1)) {
      expect(
        checkWindows(
          history.filter((one) => one !== left),
          rule,
        ).valid,
      ).toBe(true);
    }
  });

  it("refuses rules that are none", () => {
    expect(() => checkWindows([], { limit: 1.5, windowMs: 100 })).toThrow(RangeError);
    expect(() => checkWindows([], { limit: 1, windowMs: 0 })).toThrow(RangeError);
  });
});

/** What clients see of a limiter that decides at one moment of each call. */
function limited(
  random: Random,
  admits: (at: number, admittedAt: readonly number[]) => boolean,
  unknownPercent = 0,
): Operation<"admit">[] {
  const admittedAt: number[] = [];
  let at = 1_000;
  return Array.from({ length: 400 }, (_, index) => {
    at += random.int(1, 400) / 10;
    const admitted = admits(at, admittedAt);
    if (admitted) admittedAt.push(at);
    const answered = random.int(1, 100) > unknownPercent;
    return {
      index,
      process: `p${index}`,
      op: "admit",
      value: "client",
      invokedAt: at - random.int(0, 50) / 10,
      completedAt: answered ? at + random.int(0, 50) / 10 : never,
      outcome: !answered ? "unknown" : admitted ? "ok" : "fail",
    };
  });
}

describe("limiters at random", () => {
  const [limit, windowMs] = [5, 200];
  const recent = (at: number, all: readonly number[]) =>
    all.filter((one) => one > at - windowMs).length;

  it.each(Array.from({ length: 50 }, (_, seed) => seed))("judges them (seed %i)", (seed) => {
    const judge = (admits: Parameters<typeof limited>[1], unknownPercent?: number) =>
      checkWindows(limited(randomFrom(seed), admits, unknownPercent), { limit, windowMs })
        .anomalies;
    const right = { "too-many": [], "refused-early": [] };
    expect(judge((at, all) => recent(at, all) < limit)).toEqual(right);
    expect(judge((at, all) => recent(at, all) < limit, 3)).toEqual(right);
    expect(judge((at, all) => recent(at, all) <= limit)["too-many"]).toEqual(["client"]);
    expect(judge((at, all) => recent(at, all) < limit - 1)["refused-early"]).toEqual(["client"]);
    const aligned = (at: number, all: readonly number[]) => {
      const edge = Math.floor(at / windowMs) * windowMs;
      return all.filter((one) => one >= edge).length < limit;
    };
    expect(judge(aligned)["too-many"]).toEqual(["client"]);
  });
});
