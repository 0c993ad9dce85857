import { parse } from "node-html-parser";
import { describe, expect, it } from "vitest";
import { convert } from "xmlbuilder2";
import { z } from "zod";
import { githubAnnotations, reporters, scorecardSchema } from "../src/index.ts";
import { HOSTILE, hostileScorecard, scorecard } from "./scorecards.ts";

it("the scorecards of these tests are scorecards", () => {
  expect(scorecardSchema.parse(scorecard)).toEqual(scorecard);
  expect(scorecardSchema.parse(hostileScorecard)).toEqual(hostileScorecard);
});

describe("JUnit", () => {
  it("tells a wrong answer from a submission that broke, and from what was not run", () => {
    expect(reporters.junit.render(scorecard)).toMatchSnapshot();
  });

  it("stays XML whatever a submission writes", () => {
    const text = reporters.junit.render(hostileScorecard);
    expect(() => convert(text, { format: "object" })).not.toThrow();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 knows no such characters
    expect(text).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    expect(text).not.toContain("<script>");
  });
});

/** What Gradescope documents of the file that it reads. */
const visibility = z.enum(["hidden", "after_due_date", "after_published", "visible"]);
const format = z.enum(["text", "html", "simple_format", "md", "ansi"]);
const gradescopeSchema = z.strictObject({
  score: z.number().min(0),
  execution_time: z.int(),
  output: z.string(),
  output_format: format,
  visibility,
  stdout_visibility: visibility,
  extra_data: z.record(z.string(), z.unknown()),
  tests: z.array(
    z.strictObject({
      score: z.number(),
      max_score: z.number(),
      status: z.enum(["passed", "failed"]),
      name: z.string(),
      name_format: format,
      number: z.string(),
      output: z.string(),
      output_format: format,
      tags: z.array(z.string()),
      visibility,
    }),
  ),
});

describe("Gradescope", () => {
  it("is told what it documents, no more and no less", () => {
    const results = gradescopeSchema.parse(JSON.parse(reporters.gradescope.render(scorecard)));
    const points = results.tests.reduce((sum, test) => sum + test.score, 0);
    expect(points).toBe(results.score);
    expect(reporters.gradescope.render(scorecard)).toMatchSnapshot();
  });
});

describe("GitHub", () => {
  it("gets a summary", () => {
    expect(reporters.github.render(scorecard)).toMatchSnapshot();
  });

  it("gets no mark-up from a submission", () => {
    const text = reporters.github.render(hostileScorecard);
    const outside = text.replaceAll(/^(`{3,})text\n[\s\S]*?\n\1$/gm, "");
    expect(outside).not.toContain("<script>");
    expect(outside).not.toContain("](http");
  });

  it("gets a command per check that lost points, on the submission's line where it is known", () => {
    const commands = githubAnnotations(scorecard, { folder: "/repo/answer", root: "/repo" });
    expect(commands.join("\n")).toMatchInlineSnapshot(`
      "::error title=counter%3A adds-again is so::failed: and 1 more makes 8%0Aexpected 8%0Areceived 6%0Aagain: pnpm kata grade counter --check adds-again --seed 7
      ::error title=counter%3A rejects is so,file=answer/src/index.ts,line=8,col=21::failed: add() on node a rejected: DOWN: 100%25, sure%0Aagain: pnpm kata grade counter --check rejects --seed 7
      ::warning title=counter%3A elsewhere is so::not graded: needs redis with pause%0Aagain: pnpm kata grade counter --check elsewhere --seed 7
      ::error title=counter%3A hangs is so::timed out: add() on node a did not answer within 1000 ms.%0Aagain: pnpm kata grade counter --check hangs --seed 7
      ::error title=counter%3A exits is so::crashed: The process of node a broke: it exited with code 0.%0Aagain: pnpm kata grade counter --check exits --seed 7
      ::error title=counter%3A ours is so::error: The engine did not start.%0Aagain: pnpm kata grade counter --check ours --seed 7"
    `);
    const elsewhere = githubAnnotations(scorecard, { folder: "/tmp/mutant", root: "/repo" });
    expect(elsewhere.join("\n")).not.toContain("file=");
  });

  it("gets exactly one command from a message of several lines", () => {
    const [command] = githubAnnotations(hostileScorecard, { folder: "/repo", root: "/repo" });
    expect(command).not.toMatch(/[\r\n]/);
    expect(command?.slice(2)).toMatch(/^error title=[^,:]*::/);
  });
});

describe("HTML", () => {
  const page = (card = scorecard) => parse(reporters.html.render(card));

  it("shows each check with its verdict, points, replay and, when it failed, what came back", () => {
    const articles = page().querySelectorAll("article");
    expect(articles.map((article) => article.id)).toEqual(scorecard.checks.map(({ id }) => id));
    expect(articles.map((article) => article.querySelector(".verdict")?.text)).toEqual(
      scorecard.checks.map(({ verdict }) => verdict),
    );
    const failed = articles[1];
    expect(failed?.querySelector("details")?.hasAttribute("open")).toBe(true);
    expect(failed?.querySelector(".replay")?.text).toBe(scorecard.checks[1]?.replay);
    expect(failed?.querySelectorAll("dd").map((dd) => dd.text)).toEqual(["8", "6"]);
    expect(failed?.querySelectorAll("ol.hints li").map((hint) => hint.text)).toEqual(["Add."]);
    expect(failed?.text).toContain("2026-01-01 12:00:00.000 UTC [9] ERROR:  no");
  });

  it("draws a lane per node and broken engine, a bar per call, a band per fault, a mark per step", () => {
    const svg = page().querySelectorAll("article")[1]?.querySelector("svg");
    expect(svg?.querySelectorAll(".name").map((name) => name.text)).toEqual([
      "redis",
      "node a",
      "node b",
    ]);
    const bars = svg?.querySelectorAll("rect").filter((rect) => !rect.classList.contains("fault"));
    expect(bars?.map((bar) => [bar.classNames, bar.querySelector("title")?.text])).toEqual([
      ["band", "20 ms  redis: kill (50 ms)"],
      ["call", "0 ms  a: createNode(…) → undefined (10 ms)"],
      ["call", "12 ms  a: add(2) → 7 (3 ms)"],
      ["threw", "25 ms  a: add(1) → threw DOWN (30 ms)"],
      ["open", "26 ms  b: add(1)"],
    ]);
    const [band] = svg?.querySelectorAll(".band") ?? [];
    const [edge, healed] = svg?.querySelectorAll(".edge") ?? [];
    const at = Number(band?.getAttribute("x"));
    expect(Number(edge?.getAttribute("x1"))).toBe(at);
    expect(Number(healed?.getAttribute("x1"))).toBeCloseTo(
      at + Number(band?.getAttribute("width")),
    );
    expect(svg?.querySelectorAll(".step-number").map((number) => number.text)).toEqual(["1"]);
  });

  it("needs no network and runs no script, whatever a submission writes", () => {
    const text = reporters.html.render(hostileScorecard);
    const root = parse(text);
    expect(root.querySelectorAll("script, link, img, iframe, object")).toEqual([]);
    expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(text).not.toMatch(/url\(|@import/);
    const attributes = root.querySelectorAll("*").flatMap((tag) => Object.keys(tag.attributes));
    expect(attributes.filter((name) => name.startsWith("on"))).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(root.querySelector("p.message")?.text).toContain("</script><script>alert(1)</script>");
    expect(HOSTILE).toContain("\u001b[31m");
  });

  it("has a name for everything that can be reached or seen", () => {
    const root = page();
    expect(root.querySelector("html")?.getAttribute("lang")).toBe("en");
    for (const svg of root.querySelectorAll("svg")) {
      expect(svg.getAttribute("role")).toBe("img");
      expect(svg.getAttribute("aria-label")).toMatch(/^\d+ calls, \d+ faults, \d+ steps in /);
    }
    for (const link of root.querySelectorAll("a")) {
      expect(link.getAttribute("aria-label")).toBeTruthy();
      expect(root.querySelector(link.getAttribute("href") ?? "")).not.toBeNull();
    }
    const ids = root.querySelectorAll("[id]").map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
