import { expect, test } from "vitest";
import type { Shape } from "../../contract.ts";
import { sharing } from "../client/sharing.ts";

function shape(id: string, x = 0, children: readonly Shape[] = []): Shape {
  const type = children.length > 0 ? "group" : "line";
  return { id, type, x, y: 0, width: 1, height: 1, color: "#336699", text: "", children };
}
const board = () => [shape("a"), shape("g", 0, [shape("b"), shape("c")]), shape("d")];

test("what is as it was is the same object", () => {
  const before = board();
  expect(sharing(before, board())).toBe(before);
});

test("what has changed is as it is now, and nothing else is new", () => {
  const before = board();
  const now = [shape("d"), shape("a"), shape("g", 0, [shape("b"), shape("c", 7)]), shape("e")];
  const shared = sharing(before, now);
  expect(shared).toEqual(now);
  expect(shared[0]).toBe(before[2]);
  expect(shared[1]).toBe(before[0]);
  expect(shared[2]).not.toBe(before[1]);
  expect(shared[2]?.children[0]).toBe(before[1]?.children[0]);
});

test.each(["type", "x", "y", "width", "height", "color", "text"] as const)(
  "a new %s shows",
  (name) => {
    const now = { ...shape("a"), [name]: "new" } as unknown as Shape;
    expect(sharing([shape("a")], [now])).toEqual([now]);
  },
);

test("what is gone is gone, from a group as well", () => {
  const now = [shape("g", 0, [shape("c")])];
  expect(sharing(board(), now)).toEqual(now);
});
