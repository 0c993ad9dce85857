import type { CheckResult, Scorecard } from "../src/index.ts";

function check(part: Partial<CheckResult> & Pick<CheckResult, "id" | "verdict">): CheckResult {
  const passed = part.verdict === "passed";
  return {
    title: `${part.id} is so`,
    concept: "counting",
    points: 2,
    earned: passed ? 2 : 0,
    durationMs: 1_234,
    hints: passed ? [] : ["Add."],
    replay: `pnpm kata grade counter --check ${part.id} --seed 7`,
    ...part,
  };
}

/** One check of each verdict. */
export const scorecard: Scorecard = {
  schemaVersion: 1,
  kata: "counter",
  submission: "attempts/counter",
  seed: 7,
  startedAt: "2026-01-01T12:00:00.000Z",
  durationMs: 9_876,
  engines: [
    { name: "redis", version: "7.0.15", provider: "process", source: "redis-server on PATH" },
  ],
  checks: [
    check({ id: "adds", verdict: "passed" }),
    check({
      id: "adds-again",
      verdict: "failed",
      failure: {
        message: "and 1 more makes 8",
        expected: "8",
        received: "6",
        detail: ["one line", "and another"],
        trace: ["      0 ms  a       add(1) → 6  (3 ms)"],
        stderr: "── node a\ncareful: 50% done",
        engineLog: "── postgres\n2026-01-01 12:00:00.000 UTC [9] ERROR:  no",
      },
      timeline: [
        {
          atMs: 0,
          kind: "call",
          node: "a",
          text: "createNode(…) → undefined",
          tookMs: 10,
        },
        { atMs: 11, kind: "step", text: "add two" },
        { atMs: 12, kind: "call", node: "a", text: "add(2) → 7", tookMs: 3 },
        { atMs: 20, kind: "fault", engine: "redis", text: "redis: kill", tookMs: 50 },
        {
          atMs: 25,
          kind: "call",
          node: "a",
          text: "add(1) → threw DOWN",
          tookMs: 30,
          threw: true,
        },
        { atMs: 26, kind: "call", node: "b", text: "add(1)" },
        { atMs: 70, kind: "heal", engine: "redis", text: "redis: kill is over" },
      ],
    }),
    check({
      id: "rejects",
      verdict: "failed",
      failure: {
        message: "add() on node a rejected: DOWN: 100%, sure",
        location: { file: "src/index.ts", line: 8, column: 21 },
        detail: ["at add (src/index.ts:8:21)"],
        trace: [],
      },
    }),
    check({ id: "follows", verdict: "skipped", reason: "adds-again did not pass" }),
    check({ id: "elsewhere", verdict: "not graded", reason: "needs redis with pause" }),
    check({
      id: "hangs",
      verdict: "timed out",
      failure: {
        message: "add() on node a did not answer within 1000 ms.",
        detail: [],
        trace: [],
      },
    }),
    check({
      id: "exits",
      verdict: "crashed",
      failure: {
        message: "The process of node a broke: it exited with code 0.",
        detail: [],
        trace: [],
      },
    }),
    check({
      id: "ours",
      verdict: "error",
      failure: { message: "The engine did not start.", detail: [], trace: [] },
    }),
  ],
  points: { earned: 2, possible: 14, total: 16 },
};

/** What somebody might print to look better, or just to see what happens. */
export const HOSTILE =
  "</script><script>alert(1)</script>\n::error::mine\n]]> --> \u001b[31mred\u001b[0m \u0000 \u0007 \u202e %0A `````\n</details>[me](http://example.org) | x | \" onload='x' & <img src=x>";

export const hostileScorecard: Scorecard = {
  ...scorecard,
  submission: HOSTILE,
  checks: [
    check({
      id: "adds",
      verdict: "failed",
      failure: {
        message: HOSTILE,
        expected: HOSTILE,
        received: HOSTILE,
        detail: [HOSTILE],
        trace: [HOSTILE],
        stderr: HOSTILE,
        engineLog: HOSTILE,
      },
      hints: [HOSTILE],
      timeline: [
        { atMs: 1, kind: "call", node: HOSTILE, text: HOSTILE, tookMs: 2 },
        { atMs: 2, kind: "step", text: HOSTILE },
        { atMs: 3, kind: "fault", engine: HOSTILE, text: HOSTILE },
      ],
    }),
  ],
};
