import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkSet, type Operation, type SetOp } from "../src/index.ts";

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
  const cases: [string, Row[], Partial<ReturnType<typeof checkSet>>][] = [
    [
      "added, read",
      [
        ["add", 0, 1],
        ["read", 2, 3, seen],
      ],
      { valid: true },
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
      { valid: true },
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
      { valid: true },
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
      { valid: true },
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
      { valid: true },
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
      { valid: true },
    ],
    [
      "an addition without an answer, seen later",
      [
        ["add", 0, never],
        ["read", 5, 6, unseen],
        ["read", 7, 8, seen],
      ],
      { valid: true },
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
    ["never added", [["read", 0, 1, seen]], { phantom: ["x"] }],
    [
      "a read without an answer says nothing",
      [
        ["add", 0, 1],
        ["read", 2, never],
      ],
      { valid: true },
    ],
  ];
  it.each(cases)("%s", (_, rows, expected) => {
    const verdict = checkSet(historyOf(...rows));
    expect(verdict).toMatchObject({
      valid: false,
      lost: [],
      resurrected: [],
      phantom: [],
      ...expected,
    });
    expect(verdict.counterexample.length > 0).toBe(!verdict.valid);
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
        expect(wasAdded ? verdict.lost : verdict.resurrected).toEqual([element]);
      }),
      { numRuns: 200 },
    );
  });

  it("refuses an element that is added twice: its rule doesn't hold there", () => {
    expect(() => checkSet(historyOf(["add", 0, 1], ["add", 2, 3]))).toThrow(/more than once/);
  });
});
