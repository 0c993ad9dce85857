/** What somebody may do next, with what they see. */
import type { Edit, Shape, View } from "../../contract.ts";
import { allShapes } from "../kit.ts";

const TYPES = ["rectangle", "ellipse", "line", "text", "group", "group"] as const;
const WORDS = ["tea", "𝄞", "rain 🦜", "-", "no"];

/**
 * @param fresh an id that nobody has used
 * @param pick numbers that were drawn before: the same do the same where the same is seen
 */
export function editFor(view: View, fresh: string, pick: readonly number[], who: string): Edit {
  const shapes = allShapes(view.shapes);
  const [what = 0, which = 0, a = 0, b = 0, c = 0] = pick;
  const one = shapes[which % Math.max(shapes.length, 1)];
  const parents: (Shape | null)[] = [null, ...shapes.filter(({ type }) => type === "group")];
  const parent = parents[a % parents.length] ?? null;
  const siblings = (parent?.children ?? view.shapes).filter(({ id }) => id !== one?.id);
  const above = [null, ...siblings][b % (siblings.length + 1)]?.id ?? null;
  const place = { parent: parent?.id ?? null, above };
  if (!one || what % 10 < 3) {
    const type = TYPES[c % TYPES.length] as (typeof TYPES)[number];
    const properties = { type, x: a % 100, y: b % 100, width: 5, height: 5, color: "#102030" };
    const beside = parent?.children ?? view.shapes;
    const under = [null, ...beside][b % (beside.length + 1)]?.id ?? null;
    return { kind: "add", shape: fresh, parent: place.parent, above: under, properties };
  }
  const { id: shape, text } = one;
  switch (what % 10) {
    case 3:
    case 4:
      return { kind: "set", shape, properties: { x: b % 1000, y: c % 1000 } };
    case 5:
    case 6: {
      const inItself = parent !== null && allShapes([one]).some(({ id }) => id === parent.id);
      return { kind: "move", shape, ...(inItself ? { parent: null, above: null } : place) };
    }
    case 7:
      return { kind: "insert", shape, at: edge(text, a), text: WORDS[b % WORDS.length] as string };
    case 8: {
      const [from, to] = [edge(text, a), edge(text, b)].sort((x, y) => x - y) as [number, number];
      if (from < to) return { kind: "remove", shape, at: from, length: to - from };
      return { kind: "insert", shape, at: from, text: who };
    }
    default:
      return c % 2 === 0
        ? { kind: "delete", shape }
        : { kind: "set", shape, properties: { width: 1 + (a % 50) } };
  }
}

/** A position between two characters. */
function edge(text: string, pick: number): number {
  const characters = [...text];
  return characters.slice(0, pick % (characters.length + 1)).join("").length;
}
