import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkSet,
  type Operation,
  randomFrom,
  type SetAnomaly,
  type SetOp,
} from "../../src/index.ts";
import { isLinearizable } from "./brute-force.ts";

type Row = [op: SetOp, invokedAt: number, completedAt: number, more?: Partial<Operation<SetOp>>];

/** A history of one element. A completion at Infinity means: it never answered. */
function historyOf(...rows: Row[]): Operation<SetOp>[] {
  return rows.map(([op, invokedAt, completedAt, more], index) => ({
    index,
    process: `p${index}`,
    op,
    value: "x",
    invokedAt,
    completedAt,
    outcome: Number.isFinite(completedAt) ? "ok" : "unknown",
    ...more,
  }));
}

const seen = { result: true };
const unseen = { result: false };
const never = Number.POSITIVE_INFINITY;

describe("histories with known verdicts", () => {
  const cases: [string, Row[], Partial<Record<SetAnomaly, string[]>>][] = [
    [
      "added, read",
      [
        ["add", 0, 1],
        ["read", 2, 3, seen],
      ],
      {},
    ],
    [
      "added, not read",
      [
        ["add", 0, 1],
        ["read", 2, 3, unseen],
      ],
      { lost: ["x"] },
    ],
    [
      "read while it is added, either way",
      [
        ["add", 0, 9],
        ["read", 1, 2, unseen],
        ["read", 3, 4, seen],
      ],
      {},
    ],
    [
      "seen, then unseen, while it is added",
      [
        ["add", 0, 9],
        ["read", 1, 2, seen],
        ["read", 3, 4, unseen],
      ],
      { lost: ["x"] },
    ],
    [
      "added, removed, not read",
      [
        ["add", 0, 1],
        ["remove", 2, 3],
        ["read", 4, 5, unseen],
      ],
      {},
    ],
    [
      "added, removed, read",
      [
        ["add", 0, 1],
        ["remove", 2, 3],
        ["read", 4, 5, seen],
      ],
      { resurrected: ["x"] },
    ],
    [
      "read while it is removed, either way",
      [
        ["add", 0, 1],
        ["remove", 2, 9],
        ["read", 3, 4, seen],
        ["read", 5, 6, unseen],
      ],
      {},
    ],
    [
      "unseen, then seen, while it is removed",
      [
        ["add", 0, 1],
        ["remove", 2, 9],
        ["read", 3, 4, unseen],
        ["read", 5, 6, seen],
      ],
      { resurrected: ["x"] },
    ],
    [
      "a removal without an answer may still happen",
      [
        ["add", 0, 1],
        ["remove", 2, never],
        ["read", 4, 5, seen],
        ["read", 6, 7, unseen],
      ],
      {},
    ],
    [
      "a removal without an answer happens once",
      [
        ["add", 0, 1],
        ["remove", 2, never],
        ["read", 4, 5, unseen],
        ["read", 6, 7, seen],
      ],
      { resurrected: ["x"] },
    ],
    [
      "an addition without an answer, unseen",
      [
        ["add", 0, never],
        ["read", 5, 6, unseen],
      ],
      {},
    ],
    [
      "an addition without an answer, seen later",
      [
        ["add", 0, never],
        ["read", 5, 6, unseen],
        ["read", 7, 8, seen],
      ],
      {},
    ],
    [
      "an addition without an answer, seen and then lost",
      [
        ["add", 0, never],
        ["read", 5, 6, seen],
        ["read", 7, 8, unseen],
      ],
      { lost: ["x"] },
    ],
    [
      "a removal that certainly failed",
      [
        ["add", 0, 1],
        ["remove", 2, 3, { outcome: "fail" }],
        ["read", 4, 5, unseen],
      ],
      { lost: ["x"] },
    ],
    [
      "an addition that certainly failed",
      [
        ["add", 0, 1, { outcome: "fail" }],
        ["read", 4, 5, seen],
      ],
      { phantom: ["x"] },
    ],
    [
      "seen before anybody added it",
      [
        ["read", 0, 1, seen],
        ["add", 2, 3],
      ],
      { phantom: ["x"] },
    ],
    [
      "unseen by one read, seen before and after",
      [
        ["add", 0, 1],
        ["read", 2, 3, unseen],
        ["read", 4, 5, seen],
      ],
      { stale: ["x"] },
    ],
    ["never added", [["read", 0, 1, seen]], { phantom: ["x"] }],
    [
      "a read without an answer says nothing",
      [
        ["add", 0, 1],
        ["read", 2, never],
      ],
      {},
    ],
  ];
  it.each(cases)("%s", (_, rows, expected) => {
    const verdict = checkSet(historyOf(...rows));
    const none = { lost: [], stale: [], resurrected: [], phantom: [] };
    expect(verdict.anomalies).toEqual({ ...none, ...expected });
    expect(verdict.valid).toBe(Object.keys(expected).length === 0);
    expect(verdict.counterexample.length > 0).toBe(!verdict.valid);
  });
});

describe("with a staleness bound", () => {
  const cases: [string, Row[], Partial<Record<SetAnomaly, string[]>>][] = [
    [
      "an addition is unknown within the bound",
      [
        ["add", 0, 1],
        ["read", 90, 99, unseen],
      ],
      {},
    ],
    [
      "and known after it",
      [
        ["add", 0, 1],
        ["read", 102, 103, unseen],
      ],
      { lost: ["x"] },
    ],
    [
      "a removed element is seen within the bound, by one node and not by another",
      [
        ["add", 0, 1],
        ["remove", 200, 201],
        ["read", 202, 203, unseen],
        ["read", 300, 305, seen],
      ],
      {},
    ],
    [
      "and not after it",
      [
        ["add", 0, 1],
        ["remove", 200, 201],
        ["read", 302, 303, seen],
      ],
      { resurrected: ["x"] },
    ],
    [
      "the bound begins when a read has seen a removal without an answer",
      [
        ["add", 0, 1],
        ["remove", 200, never],
        ["read", 1_000, 1_001, unseen],
        ["read", 1_100, 1_101, seen],
        ["read", 1_102, 1_103, seen],
      ],
      { resurrected: ["x"] },
    ],
    [
      "a read that may not have known of the addition is no sign of a removal",
      [
        ["add", 0, 1],
        ["remove", 2, never],
        ["read", 3, 4, unseen],
        ["read", 500, 501, seen],
      ],
      {},
    ],
  ];
  it.each(cases)("%s", (_, rows, expected) => {
    const verdict = checkSet(historyOf(...rows), { stalenessMs: 100 });
    const none = { lost: [], stale: [], resurrected: [], phantom: [] };
    expect(verdict.anomalies).toEqual({ ...none, ...expected });
  });
});

/** Histories that a correct set produced: every operation takes effect at one point inside it. */
const validHistory = fc
  .array(
    fc.record({
      element: fc.integer({ min: 0, max: 5 }).map(String),
      op: fc.constantFrom<SetOp>("add", "remove", "read"),
      before: fc.integer({ min: 0, max: 40 }),
      after: fc.integer({ min: 0, max: 40 }),
      answered: fc.boolean(),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    const there = new Set<string>();
    const added = new Set<string>();
    return steps.flatMap((step, index): Operation<SetOp>[] => {
      const at = index * 10;
      if (step.op === "add" && added.has(step.element)) return [];
      if (step.op === "add") {
        added.add(step.element);
        there.add(step.element);
      }
      if (step.op === "remove") there.delete(step.element);
      const answered = step.answered || step.op === "read";
      return [
        {
          index,
          process: `p${index}`,
          op: step.op,
          value: step.element,
          invokedAt: at - step.before,
          completedAt: answered ? at + step.after : Number.POSITIVE_INFINITY,
          outcome: answered ? "ok" : "unknown",
          ...(step.op === "read" ? { result: there.has(step.element) } : {}),
        },
      ];
    });
  });

describe("histories made at random", () => {
  it("accepts whatever a correct set did", () => {
    fc.assert(
      fc.property(validHistory, (history) => {
        expect(checkSet(history)).toMatchObject({ valid: true });
      }),
      { numRuns: 500 },
    );
  });

  it("refuses a last read that is turned into its opposite, when nothing overlaps", () => {
    fc.assert(
      fc.property(validHistory, fc.boolean(), (history, wasAdded) => {
        const element = "fresh";
        const end = history.length * 10 + 1_000;
        const rows: Operation<SetOp>[] = (
          wasAdded ? (["add"] as const) : (["add", "remove"] as const)
        ).map((op, i) => ({
          index: i,
          process: "q",
          op,
          value: element,
          invokedAt: end + i * 2,
          completedAt: end + i * 2 + 1,
          outcome: "ok",
        }));
        const wrong: Operation<SetOp> = {
          index: 99,
          process: "q",
          op: "read",
          value: element,
          invokedAt: end + 10,
          completedAt: end + 11,
          outcome: "ok",
          result: !wasAdded,
        };
        const verdict = checkSet([...history, ...rows, wrong]);
        expect(wasAdded ? verdict.anomalies.lost : verdict.anomalies.resurrected).toEqual([
          element,
        ]);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses an element that is added twice: its rule doesn't hold there", () => {
    expect(() => checkSet(historyOf(["add", 0, 1], ["add", 2, 3]))).toThrow(/more than once/);
  });
});

describe("small histories made at random", () => {
  it("agrees with brute force wherever no removal overlaps an addition", () => {
    const random = randomFrom(11);
    let valid = 0;
    let judged = 0;
    for (let round = 0; round < 10_000; round++) {
      const addEnd = random.int(0, 6);
      const rows = Array.from({ length: random.int(1, 6) }, (): Row => {
        const from = random.int(0, 16);
        const to = random.int(0, 7) === 0 ? never : from + random.int(0, 8);
        if (random.int(0, 3) > 0) return ["read", from, to, random.int(0, 1) ? seen : unseen];
        return ["remove", addEnd + 1 + from, to === never ? to : addEnd + 1 + to];
      });
      const add: Row = ["add", 0, addEnd];
      const history = historyOf(add, ...rows);
      const expected = isLinearizable(history, false, (there, { op, outcome, result }) =>
        op === "read" ? (outcome !== "ok" || result === there ? there : undefined) : op === "add",
      );
      judged++;
      if (expected) valid++;
      const verdict = checkSet(history);
      expect(verdict.valid, JSON.stringify([add, ...rows])).toBe(expected);
    }
    expect(valid).toBeGreaterThan(judged / 5);
    expect(valid).toBeLessThan((judged * 4) / 5);
  });
});
