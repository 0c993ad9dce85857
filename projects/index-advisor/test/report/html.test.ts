import { parse } from "node-html-parser";
import { expect, it } from "vitest";
import { textOf } from "../../src/cli/text.ts";
import { pageOf } from "../../src/report/html.ts";
import { recorded } from "../fixtures/reported.ts";

const reported = await recorded();
const page = await pageOf(reported);
const document = parse(page);

it("needs nothing else: no script, nothing from elsewhere", () => {
  expect(document.querySelectorAll("script, link, img, iframe, [src], [onload]")).toEqual([]);
  expect(document.querySelector("meta[http-equiv]")?.getAttribute("content")).toContain(
    "default-src 'none'",
  );
  const addresses = page.match(/https?:\/\/[^"' <]+/g) ?? [];
  expect(addresses.filter((address) => !address.startsWith("http://www.w3.org/"))).toEqual([]);
});

it("shows statements and errors as they are, whatever is in them", () => {
  expect(page).not.toContain("<script>");
  expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(document.querySelector("h1")?.text).toBe("Indexes for shop & co");
});

it("has each statement with its times, and each index with its size", () => {
  const text = document.querySelector("main")?.structuredText ?? "";
  for (const { name, sql } of reported.advice.create) {
    expect(text).toContain(name);
    expect(page).toContain(`${sql};`);
  }
  const rows = document.querySelectorAll("tr").map((row) => row.text);
  for (const { statement, calls } of reported.advice.statements) {
    expect(
      rows.some((row) => row.includes(`#${statement + 1}`) && row.includes(String(calls))),
    ).toBe(true);
  }
});

it("marks in both plans what is only in one", () => {
  const [article] = document.querySelectorAll("article");
  const marked = article?.querySelectorAll(".changed").map((node) => node.text.split("\n")[0]);
  expect(marked).toEqual([
    "Seq Scan on lineitem",
    "Bitmap Heap Scan on lineitem",
    "Bitmap Index Scan using lineitem_shipped_on_idx",
  ]);
});

it("draws with the page's own colour, which is another one at night", () => {
  expect(document.querySelectorAll("svg").length).toBe(3);
  expect(page).toContain("currentColor");
  expect(page).not.toContain("#010203");
});

it("says so where nothing is to be recommended", async () => {
  const { advice } = reported;
  const nothing = { ...advice, create: [], drop: [], indexes: [], rejected: [], skipped: [] };
  const text = parse(await pageOf({ ...reported, advice: nothing })).text;
  expect(text).toContain("Nothing to build");
  expect(text).not.toContain("To drop");
});

it("says when there was no time for everything, instead of that nothing helps", async () => {
  const { advice } = reported;
  const late = { ...reported, advice: { ...advice, create: [], indexes: [], ranOut: true } };
  const text = parse(await pageOf(late)).querySelector("main")?.structuredText ?? "";
  for (const each of [text, textOf(late)]) expect(each).toContain("not enough time");
  expect(text).not.toContain("none is the right answer");
  expect(textOf({ ...late, advice: { ...late.advice, drop: [] } })).not.toContain("Nothing to");
  expect(page).not.toContain("not enough time");
});

it("says that what was stopped takes as long at least", async () => {
  const { advice } = reported;
  const [first, ...others] = advice.statements;
  const stopped = { ...first, beforeMs: 10_000, isStoppedBefore: true } as typeof first & object;
  const late = { ...reported, advice: { ...advice, statements: [stopped, ...others] } };
  expect(parse(await pageOf(late)).text).toContain("≥ 10 s");
  expect(textOf(late)).toContain("≥ 10 s");
});

it("says how often statements really ran", () => {
  expect(document.text).toContain("Each statement was run 5 times with each set");
});
