import { expect, it } from "vitest";
import { type TraceEvent, tellingEvents } from "../src/trace.ts";

const call = (text: string, node = "a"): TraceEvent => ({ atMs: 0, kind: "call", node, text });
const step = (text: string): TraceEvent => ({ atMs: 0, kind: "step", text });
const told = (events: readonly TraceEvent[], lines = 16) =>
  tellingEvents(events, lines).map((line) =>
    line.replace(/^ *0 ms {2}/, "").replace(/ +→.*?(?= {2}×|$)/, ""),
  );

it("the same call again and again is one line, whoever calls in between", () => {
  const events = [call("get"), call("get", "b"), call("get"), call("get", "b"), call("get")];
  expect(told(events)).toEqual(["a       get  ×3", "b       get  ×2"]);
});

it("calls before a step and after it are not one", () => {
  const events = [call("apply"), call("apply"), step("nobody reads any more"), call("apply")];
  expect(told(events)).toEqual([
    "a       apply  ×2",
    "[step]  nobody reads any more",
    "a       apply",
  ]);
});

it("steps stay, however long ago they were", () => {
  const events = [step("one"), ...Array.from({ length: 9 }, (_, i) => call(`get(${i})`))];
  expect(told(events, 3)).toEqual(["[step]  one", "a       get(7)", "a       get(8)"]);
});
