import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findLikenesses, tokensOf } from "../src/submit/similarity.ts";

const source = (name: string) => readFile(join(import.meta.dirname, "..", "src", name), "utf8");
const tokens = (...texts: string[]) =>
  tokensOf(texts.map((text, i) => ({ path: `${i}.ts`, bytes: Buffer.from(text) })));

/** As somebody does who wants it to look different. */
function disguised(text: string): string {
  return `// mine\n${text}`
    .replaceAll(/\b(workspace|folder|submission|options|kata)\b/g, "x_$1")
    .replaceAll(/"[^"\n]*"/g, '"something else"')
    .replaceAll("\n  ", "\n\n        ");
}

test("a disguised copy is found, what was written by oneself is not", async () => {
  const [one, two, three] = await Promise.all(
    ["workspace.ts", "keep.ts", "soak/journal.ts"].map(source),
  );
  const found = findLikenesses(
    new Map([
      ["ada", tokens(one ?? "")],
      ["bob", tokens(two ?? "")],
      ["eve", tokens(disguised(one ?? ""))],
      ["joe", tokens(three ?? "")],
    ]),
    [],
  );
  expect(found.map(({ names }) => names)).toEqual([["ada", "eve"]]);
  expect(found[0]?.share).toBeGreaterThan(0.9);
});

test("what everybody was given doesn't count", async () => {
  const [given, own, other] = await Promise.all(
    ["workspace.ts", "keep.ts", "soak/journal.ts"].map(source),
  );
  const submissions = new Map([
    ["ada", tokens(given ?? "", own ?? "")],
    ["bob", tokens(given ?? "", other ?? "")],
  ]);
  expect(findLikenesses(submissions, [])).toHaveLength(1);
  expect(findLikenesses(submissions, tokens(given ?? ""))).toEqual([]);
});

test("nothing in common beyond nothing is no likeness", () => {
  expect(
    findLikenesses(
      new Map([
        ["a", []],
        ["b", []],
      ]),
      [],
    ),
  ).toEqual([]);
});
