/** What there is to be seen of a board. */
import type { Properties, Shape, ShapeId } from "../../contract.ts";
import type { Root } from "./codec.ts";
import { isDeleted } from "./editing.ts";
import { readTagged } from "./state.ts";
import type { Added, Tree } from "./tree.ts";
import { FIELDS } from "./values.ts";

export function shapesIn(root: Root, tree: Tree, heights: readonly string[]): Shape[] {
  const heightOf = new Map(heights.map((name, height) => [name, height]));
  const there = [...tree.ids()]
    .map((id) => tree.at(id) as Added)
    .filter(({ key }) => !isDeleted(root, key))
    .map((shape) => ({ shape, height: heightOf.get(tree.placeOf(shape.id)?.name ?? "") ?? -1 }))
    .sort((a, b) => a.height - b.height);
  const children = Map.groupBy(there, ({ shape }) => tree.parentOf(shape.id));
  const within = (parent: ShapeId | null): Shape[] =>
    (children.get(parent) ?? []).map(({ shape: { id, key, type } }) => {
      const map = root.shapes[key] ?? {};
      const fields = FIELDS.map((field) => [field, readTagged(String(map[field]))[0]]);
      const properties = Object.fromEntries(fields) as Omit<Properties, "type">;
      return { id, type, ...properties, text: String(map.text), children: within(id) };
    });
  return within(null);
}
