/** What buttons do, done by a real replica. */
import { randomFrom } from "@db-katas/grading";
import { describe, expect, test } from "vitest";
import type { Edit, Properties, Shape } from "../../contract.ts";
import { startReplica } from "../../src/replica/replica.ts";
import {
  add,
  group,
  type Height,
  move,
  remove,
  restack,
  stroke,
  type,
  ungroup,
} from "../client/edits.ts";
import { spliceBetween } from "../client/splice.ts";
import { LIMITS } from "../dev/limits.ts";

const DOCUMENT = "board";
const SQUARE: Properties = {
  type: "rectangle",
  x: 10,
  y: 20,
  width: 30,
  height: 40,
  color: "#336699",
};

function person(actor: string) {
  const replica = startReplica({ role: "replica", name: actor, actor, treasurer: "treasurer" });
  const shapes = async () => (await replica.view(DOCUMENT)).shapes;
  return {
    replica,
    shapes,
    edit: (edits: readonly Edit[]) => replica.edit(DOCUMENT, edits),
    draw: async (...ids: string[]) => {
      for (const id of ids) await replica.edit(DOCUMENT, [add(await shapes(), id, SQUARE)]);
    },
    order: async () => (await shapes()).map(({ id }) => id).join(""),
    hear: async (from: { replica: typeof replica }) => {
      const version = await replica.version(DOCUMENT);
      await replica.receive(DOCUMENT, await from.replica.changesSince(DOCUMENT, version));
    },
  };
}

/** Where things are on the board, with whatever they are in. */
function placesOf(shapes: readonly Shape[], x = 0, y = 0): Record<string, [number, number]> {
  return Object.assign(
    {},
    ...shapes.map((shape) =>
      shape.type === "group"
        ? placesOf(shape.children, x + shape.x, y + shape.y)
        : { [shape.id]: [x + shape.x, y + shape.y] },
    ),
  );
}

describe("groups", () => {
  test("a group is where its members were, and moving it moves them", async () => {
    const ada = person("ada");
    await ada.draw("a", "b", "c");
    const before = placesOf(await ada.shapes());
    await ada.edit(group(await ada.shapes(), ["c", "a"], "g"));
    expect(await ada.order()).toBe("bg");
    expect(placesOf(await ada.shapes())).toEqual(before);
    await ada.edit(move(await ada.shapes(), ["g"], { x: 5, y: 7 }));
    expect(placesOf(await ada.shapes())).toEqual({ a: [15, 27], b: [10, 20], c: [15, 27] });
  });

  test("taking a group apart leaves all where it is, in its order", async () => {
    const ada = person("ada");
    await ada.draw("a", "b", "c", "d");
    await ada.edit(group(await ada.shapes(), ["b", "c"], "g"));
    await ada.edit(move(await ada.shapes(), ["g"], { x: 5, y: 7 }));
    const before = placesOf(await ada.shapes());
    await ada.edit(ungroup(await ada.shapes(), ["g"]));
    expect(placesOf(await ada.shapes())).toEqual(before);
    expect(await ada.order()).toBe("abcd");
  });

  test("who drags a member while another one groups it drags it as far", async () => {
    const [ada, ben] = [person("ada"), person("ben")];
    await ada.draw("a", "b");
    await ben.hear(ada);
    await ada.edit(group(await ada.shapes(), ["a", "b"], "g"));
    await ben.edit(move(await ben.shapes(), ["a"], { x: 100, y: 0 }));
    await ada.hear(ben);
    await ben.hear(ada);
    expect(placesOf(await ada.shapes())).toEqual({ a: [110, 20], b: [10, 20] });
    expect(await ben.shapes()).toEqual(await ada.shapes());
  });

  test("what goes with its group isn't deleted apart from it", async () => {
    const ada = person("ada");
    await ada.draw("a", "b");
    await ada.edit(group(await ada.shapes(), ["a", "b"], "g"));
    expect(remove(await ada.shapes(), ["a", "g"])).toEqual([{ kind: "delete", shape: "g" }]);
  });
});

describe("height", () => {
  test.each<[string[], Height, string]>([
    [["b"], "front", "acdeb"],
    [["d", "b"], "front", "acebd"],
    [["d"], "back", "dabce"],
    [["b", "e"], "back", "beacd"],
    [["b"], "forward", "acbde"],
    [["b", "c"], "forward", "adbce"],
    [["d"], "backward", "abdce"],
    [["c", "d"], "backward", "acdbe"],
    [["e"], "forward", "abcde"],
    [["a", "c"], "backward", "acbde"],
  ])("%j to the %s: %s", async (chosen, height, expected) => {
    const ada = person("ada");
    await ada.draw("a", "b", "c", "d", "e");
    const edits = restack(await ada.shapes(), chosen, height);
    if (edits.length > 0) await ada.edit(edits);
    expect(await ada.order()).toBe(expected);
  });
});

test("a long stroke is one group, and small enough for a server", async () => {
  const ada = person("ada");
  const random = randomFrom(3);
  const points = Array.from({ length: 5_000 }, (_, i) => ({ x: i, y: random.int(0, 500) }));
  const change = await ada.edit(stroke([], points, "#336699"));
  const [drawn] = await ada.shapes();
  expect(drawn?.type).toBe("group");
  expect(drawn?.children.length).toBeGreaterThan(150);
  expect(change.bytes.length).toBeLessThan(LIMITS.changeBytes);
});

test("a thousand shapes are grouped, and moved, in one change that a server takes", async () => {
  const ada = person("ada");
  const ids = Array.from({ length: 1_000 }, (_, i) => `shape-${i}-${"x".repeat(30)}`);
  const edits = ids.map((id, i): Edit => {
    return { kind: "add", shape: id, parent: null, above: ids[i - 1] ?? null, properties: SQUARE };
  });
  await ada.edit(edits);
  const moved = await ada.edit(move(await ada.shapes(), ids, { x: 1, y: 1 }));
  const grouped = await ada.edit(group(await ada.shapes(), ids, "g"));
  expect((await ada.shapes())[0]?.children.map(({ id }) => id)).toEqual(ids);
  for (const { bytes } of [moved, grouped]) expect(bytes.length).toBeLessThan(LIMITS.changeBytes);
});

test("a long text comes whole, and goes whole, in changes that a server takes", async () => {
  const ada = person("ada");
  await ada.draw("a");
  const pasted = "😀x".repeat(50_000);
  const turn = async (before: string, after: string) => {
    for (const edits of type("a", before, spliceBetween(before, after))) {
      const { bytes } = await ada.edit(edits);
      expect(bytes.length).toBeLessThan(LIMITS.changeBytes);
    }
    expect((await ada.shapes())[0]?.text).toBe(after);
  };
  await turn("", pasted);
  await turn(pasted, `<${pasted}>`);
  await turn(`<${pasted}>`, "<>");
});
