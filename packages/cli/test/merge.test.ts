import { describe, expect, it } from "vitest";
import { mergeTrees } from "../src/update/merge-trees.ts";
import type { Content, Tree } from "../src/update/tree.ts";

const tree = (files: Readonly<Record<string, string | Content>>): Tree =>
  new Map(
    Object.entries(files).map(([path, content]) => [
      path,
      typeof content === "string" ? { bytes: Buffer.from(content), executable: false } : content,
    ]),
  );
const lines = (...all: string[]) => `${all.join("\n")}\n`;
const program = (text: string): Content => ({ bytes: Buffer.from(text), executable: true });

const visible = (bytes: Buffer) =>
  bytes.toString("utf8").replaceAll("\0", "<0>").replaceAll("\r", "<CR>");

type Files = Parameters<typeof tree>[0];

/** As people would describe it: what is said of each file, and what is in those that change. */
function merged(base: Files, yours: Files, theirs: Files) {
  const sides = { yours: "yours", theirs: "v2" };
  const { outcomes, changes } = mergeTrees(tree(base), tree(yours), tree(theirs), sides);
  const said = outcomes.map(
    ({ path, state, note }) => `${state} ${path}${note ? `: ${note}` : ""}`,
  );
  const files = [...changes].map(([path, content]) => [
    path,
    content && `${visible(content.bytes)}${content.executable ? " (executable)" : ""}`,
  ]);
  return { said, files: Object.fromEntries(files) };
}

const story = lines("one", "two", "three", "four", "five", "six", "seven");
const mine = story.replace("one", "ONE");
const newer = story.replace("seven", "SEVEN");

describe("a file that both sides have", () => {
  it.each<[string, Files, Files, Files]>([
    ["changed by nobody", { a: "1" }, { a: "1" }, { a: "1" }],
    ["changed by the template", { a: "1" }, { a: "1" }, { a: "2" }],
    ["changed by you", { a: "1" }, { a: "2" }, { a: "1" }],
    ["changed by both to the same", { a: "1" }, { a: "2" }, { a: "2" }],
    ["changed in different lines", { a: story }, { a: mine }, { a: newer }],
    ["changed in the same line", { a: story }, { a: mine }, { a: story.replace("one", "1") }],
    [
      "with line ends of another system",
      { a: story },
      { a: mine.replaceAll("\n", "\r\n") },
      { a: newer },
    ],
    ["that is no text", { a: "\0a" }, { a: "\0b" }, { a: "\0c" }],
    ["made executable by the template", { a: story }, { a: mine }, { a: program(newer) }],
    ["made executable by you", { a: story }, { a: program(story) }, { a: newer }],
  ])("%s", (_, base, yours, theirs) => {
    expect(merged(base, yours, theirs)).toMatchSnapshot();
  });
});

describe("a file that not all have", () => {
  it.each<[string, Files, Files, Files]>([
    ["new in the template", {}, {}, { a: "1" }],
    ["new here", {}, { a: "1" }, {}],
    ["new on both sides, the same", {}, { a: "1" }, { a: "1" }],
    ["new on both sides", {}, { a: "1", "a.theirs": "0" }, { a: "2" }],
    ["gone from the template", { a: "1" }, { a: "1" }, {}],
    ["gone from the template, changed by you", { a: "1" }, { a: "2" }, {}],
    ["gone here", { a: "1" }, {}, { a: "1" }],
    ["gone here, changed in the template", { a: "1" }, {}, { a: "2" }],
    ["gone from both", { a: "1" }, {}, {}],
    ["renamed here, changed in the template", { a: story }, { b: mine }, { a: newer }],
    ["renamed in the template, changed here", { a: story }, { a: mine }, { b: newer }],
    ["renamed in the template, left alone here", { a: story }, { a: story }, { b: newer }],
    ["renamed on both sides", { a: story }, { b: mine }, { c: newer }],
    ["renamed in the template to what you have", { a: story }, { a: mine, b: "own" }, { b: newer }],
  ])("%s", (_, base, yours, theirs) => {
    expect(merged(base, yours, theirs)).toMatchSnapshot();
  });
});

describe("JSON", () => {
  const manifest = (value: object) => ({ "package.json": lines(JSON.stringify(value, null, 2)) });
  it("is merged by its keys", () => {
    const base = {
      name: "x",
      scripts: { test: "kata test" },
      dependencies: { pg: "8", ioredis: "5" },
    };
    const yours = { ...base, dependencies: { pg: "8", ioredis: "5", mine: "1" } };
    const theirs = { ...base, dependencies: { pg: "9", ioredis: "5" }, type: "module" };
    expect(merged(manifest(base), manifest(yours), manifest(theirs))).toMatchSnapshot();
  });

  it("keeps your value where both have changed it, and says so", () => {
    const version = (pg: string) => manifest({ dependencies: { pg, other: `${pg}0` } });
    const { said, files } = merged(version("8"), version("9"), version("10"));
    expect(said).toEqual([
      'conflict package.json: dependencies.pg: "9" stays, v2 has "10"; dependencies.other: "90" stays, v2 has "100"',
    ]);
    expect(files).toEqual({});
  });

  it("is text if it doesn't parse", () => {
    const json = (first: string, last: string) => ({ "a.json": lines(first, "{", "", "}", last) });
    const { files } = merged(json("//", "//"), json("// mine", "//"), json("//", "// new"));
    expect(files["a.json"]).toBe(lines("// mine", "{", "", "}", "// new"));
  });
});
