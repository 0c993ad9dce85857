import { randomFrom } from "@db-katas/grading";
import { expect, test } from "vitest";
import { rebase, type Splice, spliceBetween } from "../client/splice.ts";

const apply = (text: string, { at, removed, inserted }: Splice) =>
  text.slice(0, at) + inserted + text.slice(at + removed);

test.each([
  ["", "hello", { at: 0, removed: 0, inserted: "hello" }],
  ["helo", "hello", { at: 3, removed: 0, inserted: "l" }],
  ["aa", "aaa", { at: 2, removed: 0, inserted: "a" }],
  ["one two", "one", { at: 3, removed: 4, inserted: "" }],
  // 😀 and 😁 have their first half in common; 😀 and 🨀 their second one.
  ["x😀y", "x😁y", { at: 1, removed: 2, inserted: "😁" }],
  ["x😀y", "x🨀y", { at: 1, removed: 2, inserted: "🨀" }],
])("%j becomes %j", (before, after, splice) => {
  expect(spliceBetween(before, after)).toEqual(splice);
});

test("what is between any two texts turns one into the other, and splits no pair", () => {
  const random = randomFrom(20);
  const word = () =>
    Array.from({ length: random.int(0, 6) }, () => random.pick(["a", "b", "😀", "😁", "🨀"])).join(
      "",
    );
  for (let i = 0; i < 2_000; i += 1) {
    const [before, after] = [word(), word()];
    const splice = spliceBetween(before, after);
    expect(apply(before, splice)).toBe(after);
    expect(splice.inserted.isWellFormed()).toBe(true);
    expect(before.slice(0, splice.at).isWellFormed()).toBe(true);
    expect(before.slice(splice.at + splice.removed).isWellFormed()).toBe(true);
  }
});

test("what was typed goes to where it belongs when another one has typed before it", () => {
  const ours = spliceBetween("dear friends", "dear good friends");
  const theirs = spliceBetween("dear friends", "my dear friends");
  expect(apply("my dear friends", rebase(ours, theirs))).toBe("my dear good friends");
});

test("what another one has removed already isn't removed again", () => {
  const ours = spliceBetween("one two three", "one three");
  const theirs = spliceBetween("one two three", "one");
  expect(apply("one", rebase(ours, theirs))).toBe("one");
});
