/** What measurements lead to, on measurements that are made up. */
import { describe, expect, test } from "vitest";
import type { Part, Timing } from "../src/measure/timing.ts";
import type { Candidate, Query } from "../src/model.ts";
import { differenceMs } from "../src/validate/difference.ts";
import type { Gain, Lack } from "../src/validate/gain.ts";
import { apart, removalsOf } from "../src/validate/removals.ts";
import type { Evidence } from "../src/validate.ts";
import { keyOf } from "../src/whatif/builds.ts";
import { candidate, query } from "./sketch.ts";

function timing(ms: number, uses: readonly Candidate[] = [], more: Partial<Part> = {}): Timing {
  const keys = uses.map(keyOf);
  const signature = keys.join(" + ") || "nothing";
  const part: Part = {
    share: 1,
    medianMs: ms,
    quickestMs: ms,
    blocks: 0,
    runs: 5,
    isStopped: false,
    signature,
    ...more,
  };
  return {
    medianMs: ms,
    runsMs: [ms],
    spreadMs: 0,
    blocks: 0,
    cost: ms,
    writes: [],
    plan: { Plan: { "Node Type": "Result", "Total Cost": ms, "Plan Rows": 1 } },
    uses: new Set(keys),
    failure: undefined,
    signature: part.signature,
    parts: [part],
  };
}

const [a, b, c] = [candidate(["a"], [0]), candidate(["b"], [1]), candidate(["c"], [2])];

function evidence(queries: readonly Query[]): Evidence {
  return {
    queries,
    builds: { find: () => ({ sizeBytes: 1 }) },
    upkeep: { ms: () => 0 },
    budgetBytes: Number.POSITIVE_INFINITY,
  } as unknown as Evidence;
}

const reads = [0, 1].map((statement) => query(statement, `SELECT ${statement}`, ["a"]));
const useless = [a, b].map((one) => ({ candidate: one, why: "" }));
const lack = (one: Candidate, after: readonly Timing[], without: readonly Timing[]): Lack => ({
  candidate: one,
  set: [a, b],
  before: [],
  after,
  rest: [],
  without,
});

describe("a statement that was stopped", () => {
  const stopped = { isStopped: true, signature: "stopped" };

  test("is slower than what takes less than its limit", () => {
    expect(differenceMs(timing(200, [], stopped), timing(10, [a]))).toBe(190);
  });

  test("isn't faster than what takes longer than its limit", () => {
    expect(differenceMs(timing(900, [a]), timing(200, [], stopped))).toBe(0);
    expect(differenceMs(timing(200, [], stopped), timing(900, [a]))).toBe(0);
  });
});

describe("several go at once", () => {
  test("where no statement changes for both", () => {
    const after = [timing(5, [a]), timing(5, [b])];
    const lacks = [
      lack(a, after, [timing(5), timing(5, [b])]),
      lack(b, after, [timing(5, [a]), timing(5)]),
    ];
    expect(apart(evidence(reads), useless, lacks)).toEqual(useless);
  });

  test("but not where one stands in for the other", () => {
    const after = [timing(5, [a]), timing(5, [c])];
    const lacks = [lack(a, after, [timing(5, [b]), timing(5, [c])]), lack(b, after, after)];
    expect(apart(evidence(reads), useless, lacks)).toEqual(useless.slice(0, 1));
  });

  test("and not on a table that is written: each makes updates dearer for the other", () => {
    const after = [timing(5, [a]), timing(5, [b])];
    const lacks = [
      lack(a, after, [timing(5), timing(5, [b])]),
      lack(b, after, [timing(5, [a]), timing(5)]),
    ];
    const write = query(2, "UPDATE things SET a = 1", ["a"], { kind: "update", writes: ["a"] });
    expect(apart(evidence([...reads, write]), useless, lacks)).toHaveLength(1);
  });
});

describe("a set that saves nothing as a whole", () => {
  const gain = (ms: number): Gain => ({ ms, noiseMs: 0, helps: [0] });

  test("loses what does most harm, though each pays beside the others", () => {
    const refused = removalsOf(evidence(reads), {
      set: [a, b],
      gains: new Map([
        [a, gain(10)],
        [b, gain(1)],
      ]),
      before: [timing(20), timing(20)],
      after: [timing(10, [a]), timing(100, [b])],
    });
    expect(refused.map((refusal) => refusal.candidate)).toEqual([b]);
  });

  test("and one that saves something loses nothing", () => {
    const refused = removalsOf(evidence(reads), {
      set: [a],
      gains: new Map([[a, gain(10)]]),
      before: [timing(20), timing(20)],
      after: [timing(10, [a]), timing(20)],
    });
    expect(refused).toEqual([]);
  });
});
