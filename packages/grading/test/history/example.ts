import { checkRegister, type RegisterOp, renderTimeline } from "../../src/index.ts";
import { historyOf, never } from "./rows.ts";

/** A store that answers from its memory after it was cut off: three clients, one stale read. */
export const exampleHistory = historyOf<RegisterOp>(
  "cart",
  ["write", 2, 9, { process: "a", input: 1 }],
  ["read", 6, 13, { process: "b", result: 1 }],
  ["cas", 12, 21, { process: "a", input: { from: 1, to: 2 }, result: true }],
  ["read", 18, 24, { process: "c", result: 1 }],
  ["write", 29, never, { process: "c", input: 3, error: "time-out" }],
  ["write", 33, 36, { process: "a", input: 9, outcome: "fail", error: "read only" }],
  ["read", 34, 40, { process: "b", result: 2 }],
  ["write", 42, 52, { process: "a", input: 4 }],
  ["read", 46, 55, { process: "b", result: 4 }],
  ["read", 58, 64, { process: "b", result: 2 }],
  ["read", 66, 72, { process: "a", result: 4 }],
);

export function exampleTimeline(): string {
  const verdict = checkRegister(exampleHistory);
  return renderTimeline({
    operations: exampleHistory,
    highlights: verdict.counterexample,
    bands: [
      { name: "cut off node b", from: 28, to: 48 },
      { name: "load while all is well", from: 0 },
      { name: "heal", from: 48 },
    ],
    title: "A stale read",
    description: `Eleven operations of three clients on one key. ${verdict.summary}`,
  });
}
