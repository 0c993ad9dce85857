import { readFile } from "node:fs/promises";
import { parse } from "node-html-parser";
import { describe, expect, it } from "vitest";
import { checkRegister, randomFrom, renderTimeline } from "../../src/index.ts";
import { exampleHistory, exampleTimeline } from "./example.ts";
import { registers } from "./objects.ts";
import { historyOf, never } from "./rows.ts";

describe("a history as a picture", () => {
  it("is the one in the documentation; `pnpm picture` in packages/grading draws it again", async () => {
    const committed = new URL("../../../../docs/pictures/history.svg", import.meta.url);
    expect(await readFile(committed, "utf8")).toBe(exampleTimeline());
  });

  it("shows each operation once, and numbers those of the proof", () => {
    const svg = parse(exampleTimeline());
    const { counterexample } = checkRegister(exampleHistory);
    expect(counterexample.length).toBeGreaterThan(1);
    expect(svg.querySelectorAll("g path")).toHaveLength(exampleHistory.length);
    expect(svg.querySelectorAll("path.proof")).toHaveLength(counterexample.length);
    expect(svg.querySelectorAll("path.fail")).toHaveLength(1);
    expect(svg.querySelector("title")?.text).toBe("A stale read");
    expect(svg.querySelector("desc")?.text).toMatch(/No order of these/);
  });

  it("leaves open what was never answered", () => {
    const paths = (completedAt: number) =>
      parse(
        renderTimeline({ operations: historyOf("x", ["write", 0, completedAt], ["read", 1, 5]) }),
      )
        .querySelectorAll("path")
        .filter((path) => path.getAttribute("d")?.endsWith("Z")).length;
    expect(paths(3)).toBe(2);
    expect(paths(never)).toBe(1);
  });

  it("escapes what came from a submission", () => {
    const value = `</text><script>alert("1")</script>&\u0000`;
    const operations = historyOf(value, ["write", 0, 100, { process: value, error: value }]);
    const svg = renderTimeline({
      operations,
      highlights: operations,
      title: value,
      bands: [{ name: value, from: 0, to: never }],
    });
    expect(svg).not.toContain("<script");
    expect(svg).not.toContain("\u0000");
  });

  it("draws nothing, one moment, and ten thousand operations", () => {
    expect(renderTimeline({ operations: [] })).not.toMatch(/NaN|Infinity/);
    expect(renderTimeline({ operations: historyOf("x", ["read", 5, 5]) })).not.toMatch(/NaN/);
    const operations = registers({ random: randomFrom(1), count: 10_000, unknownPercent: 1 });
    expect(renderTimeline({ operations })).not.toMatch(/NaN|Infinity/);
  });
});
