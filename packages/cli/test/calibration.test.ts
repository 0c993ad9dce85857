import { describe, expect, it } from "vitest";
import type { Resolved } from "../src/predict/brier.ts";
import type { Grade } from "../src/predict/grades.ts";
import type { Forecast, Range } from "../src/predict/predictions.ts";
import { findQuestion } from "../src/predict/questions.ts";
import { parseNamed, parsePercent, parseRange, parseVerdict } from "../src/predict/said.ts";
import { resolvedOf, scoreOf, shareOf } from "../src/predict/score.ts";
import { measuredChecks, measuredClaims, standingsOf } from "../src/predict/standings.ts";
import { verdictOf } from "../src/predict/text.ts";
import { merged } from "../src/retro/document.ts";
import type { Item } from "../src/retro/items.ts";

const at = (minute: number) => `2026-01-01T12:${String(minute).padStart(2, "0")}:00.000Z`;

function said(
  minute: number,
  id: string,
  probability: number,
  about: "check" | "claim" = "check",
): Forecast {
  return { at: at(minute), fingerprint: "f", about, id, probability };
}

function graded(minute: number, verdicts: Record<string, "passed" | "failed">): Grade {
  const checks = Object.entries(verdicts).map(([id, verdict]) => ({ id, verdict }));
  return { at: at(minute), fingerprint: "f", seed: 1, checks };
}

describe("what people type", () => {
  it("is a percentage, a verdict with one, or a range in the unit that was asked for", () => {
    expect(["80", "80%", " 7 % ", "0", "100"].map(parsePercent)).toEqual([0.8, 0.8, 0.07, 0, 1]);
    expect(["held:70", "falsified:70"].map(parseVerdict)).toEqual([0.7, 0.3]);
    expect(parseRange("0.5..2", {})).toEqual({ low: 0.5, high: 2, unit: "" });
    expect(parseRange("-1 … 1e3", { unit: "kB" })).toEqual({ low: -1_000, high: 1e6, unit: "kB" });
    expect(parseRange("0..0", { unit: "rows" })).toMatchObject({ low: 0, high: 0 });
    expect(parseNamed("adds=80", "")).toEqual(["adds", "80"]);
  });

  it.each([
    ["a share instead of a percentage", () => parsePercent("0.8")],
    ["a claim without a verdict", () => parseVerdict("70")],
    ["a claim that is more than certain", () => parseVerdict("held:101")],
    ["a range the wrong way round", () => parseRange("2..0.5", {})],
    ["a range with units", () => parseRange("100ms..200ms", { unit: "ms" })],
    ["a percentage of nothing", () => parseNamed("80", "--check <id>=80")],
    ["an unknown claim", () => findQuestion([], "claim", "nope", "counter")],
  ])("is not %s", (_, parse) => {
    expect(parse).toThrowErrorMatchingSnapshot();
  });
});

describe("what counts", () => {
  it("is the last that was said before the first measurement, and nothing later", () => {
    const grades = [graded(5, { one: "failed" }), graded(9, { one: "passed", two: "passed" })];
    const predictions = [
      said(1, "one", 0.2),
      said(2, "one", 0.7),
      said(6, "one", 0),
      said(6, "two", 0.9),
      said(1, "never", 0.5),
    ];
    const standings = standingsOf(predictions, measuredChecks(grades), new Map());
    const { forecasts } = resolvedOf("k", standings);
    expect(forecasts.map(({ id, probability, came }) => [id, probability, came])).toEqual([
      ["one", 0.7, false],
      ["two", 0.9, true],
    ]);
    expect(standings.map(({ id, late }) => [id, late])).toEqual([
      ["one", 1],
      ["two", 0],
      ["never", 0],
    ]);
  });

  it("of a claim waits for a verdict, though the first figure closes it", () => {
    const found = (
      minute: number,
      verdict: "held" | "inconclusive",
      value: number,
      text = "ratio 2",
    ) => ({
      at: at(minute),
      id: "c",
      verdict,
      comparisons: [{ value, said: text }],
    });
    const range: Range = {
      at: at(1),
      fingerprint: "f",
      about: "figure",
      id: "c",
      low: 1,
      high: 3,
      unit: "",
    };
    const predictions = [said(1, "c", 0.6, "claim"), said(4, "c", 1, "claim"), range];
    const open = standingsOf(predictions, new Map(), measuredClaims([found(3, "inconclusive", 9)]));
    expect(resolvedOf("k", open)).toEqual({ forecasts: [], ranges: [] });
    const history = [found(3, "inconclusive", 9), found(5, "held", 2)];
    const decided = resolvedOf("k", standingsOf(predictions, new Map(), measuredClaims(history)));
    expect(decided.forecasts).toMatchObject([{ probability: 0.6, came: true }]);
    expect(decided.ranges).toMatchObject([{ figure: 2 }]);
    // A difference is no answer to how many times one is the other.
    const difference = measuredClaims([found(5, "held", 0, "difference 0")]);
    expect(resolvedOf("k", standingsOf(predictions, new Map(), difference)).ranges).toEqual([]);
  });
});

describe("the score", () => {
  const forecasts = (pairs: readonly (readonly [number, boolean])[]): Resolved[] =>
    pairs.map(([probability, came], index) => ({
      kata: "k",
      about: "check",
      id: String(index),
      at: at(index % 60),
      probability,
      came,
      said: "",
    }));

  it("is the mean of the squares, beside that of the base rate, in bins", () => {
    const score = scoreOf(
      forecasts([
        [0.8, true],
        [1, true],
        [0.2, true],
        [0.6, false],
      ]),
      [],
    );
    expect(score.brier).toBeCloseTo((0.04 + 0 + 0.64 + 0.36) / 4);
    expect(score.brierOfBaseRate).toBeCloseTo(0.75 * 0.25);
    expect(score.bins.map(({ from, count, came }) => [from, count, came])).toEqual([
      [0.2, 1, 1],
      [0.6, 1, 0],
      [0.8, 2, 2],
    ]);
    expect(verdictOf(score)).toBe("4 predictions: too few to tell (fewer than 20)");
  });

  it("tells who knows from who doesn't, and from who knows the contrary", () => {
    const outcomes = Array.from({ length: 60 }, (_, index) => index % 3 === 0);
    const of = (say: (came: boolean, index: number) => number) =>
      verdictOf(scoreOf(forecasts(outcomes.map((came, index) => [say(came, index), came])), []));
    expect(of((came) => (came ? 0.8 : 0.1))).toMatch(/^Better than the base rate/);
    expect(of((came) => (came ? 0.2 : 0.8))).toMatch(/^Worse than the base rate/);
    expect(of((_, index) => (index % 2 ? 0.3 : 0.4))).toMatch(/^Neither better nor worse/);
  });

  it("has Wilson's intervals, whose figures are known", () => {
    // R. G. Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20.
    expect(shareOf(263, 81)).toMatchObject({
      low: expect.closeTo(0.2553, 4),
      high: expect.closeTo(0.3662, 4),
    });
    expect(shareOf(148, 15)).toMatchObject({
      low: expect.closeTo(0.0624, 4),
      high: expect.closeTo(0.1605, 4),
    });
    expect(shareOf(20, 0)).toMatchObject({
      low: expect.closeTo(0, 4),
      high: expect.closeTo(0.1611, 4),
    });
    expect(shareOf(0, 0)).toMatchObject({ low: 0, high: 1 });
  });
});

describe("what I got wrong", () => {
  const item = (key: string, fact: string, saw: string[] = []): Item => ({
    key,
    title: `about ${key}`,
    facts: [fact],
    saw,
    sureness: 0.9,
  });

  it("keeps every word of its owner's while its own are brought up to date", () => {
    const first = merged(undefined, "k", "1 grade.", [
      item("check a", "failed once"),
      item("check b", "failed"),
    ]);
    expect(first.added).toEqual(["check a", "check b"]);
    const mine = first.text
      .replace("## about check a", "## How I fooled myself")
      .replace(
        "**What would have told me earlier:**",
        "**What would have told me earlier:** a pencil",
      );
    const second = merged(mine, "k", "2 grades.", [
      item("check c", "new"),
      item("check a", "failed twice"),
    ]);
    expect(second.added).toEqual(["check c"]);
    const others = second.text.split("\n").filter((line) => !/^- |grades?\.$|check c/.test(line));
    for (const line of mine.split("\n").filter((each) => !/^- |grades?\.$/.test(each))) {
      expect(others).toContain(line);
    }
    expect(second.text).toContain("- failed twice");
    expect(second.text).not.toContain("- failed once");
    // What is no longer wrong stays as it was: something may be written there.
    expect(second.text).toContain("- failed\n");
    expect(
      merged(second.text, "k", "2 grades.", [
        item("check c", "new"),
        item("check a", "failed twice"),
      ]).text,
    ).toBe(second.text);
  });

  it("leaves marks alone that somebody has taken half away", () => {
    const { text } = merged(undefined, "k", "1 grade.", [
      item("check a", "old"),
      item("check b", "old"),
    ]);
    const broken = text.replace("<!-- kata:end check a -->\n", "");
    const again = merged(broken, "k", "1 grade.", [item("check a", "new"), item("check b", "new")]);
    expect(again.text).toContain("<!-- kata:begin check a -->\n- old\n");
    expect(again.text).toContain("<!-- kata:begin check b -->\n- new\n");
    expect(again.added).toEqual([]);
  });

  it("is Markdown whatever a submission printed", () => {
    const hostile = "\u001b[31m````\n<!-- kata:end check a -->\n# mine";
    const one = merged(undefined, "k", "1 grade.", [item("check a", "failed", [hostile])]);
    expect(one.text).toContain("`````text\n````\n<! -- kata:end check a -->\n# mine\n`````");
    expect(merged(one.text, "k", "1 grade.", [item("check a", "failed", [hostile])]).text).toBe(
      one.text,
    );
  });
});
