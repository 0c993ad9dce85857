/** What people want to be done, in the words of the contract. */
import type { Edit, Properties, Shape, ShapeId } from "../../contract.ts";
import { between, simplified } from "./geometry.ts";
import type { Splice } from "./splice.ts";
import type { Point } from "./sync/visit.ts";

/** A shape, and where on the board it is. */
export interface Found {
  readonly shape: Shape;
  /** From the outermost to the one that it is in. */
  readonly groups: readonly Shape[];
  readonly siblings: readonly Shape[];
}

export type Shapes = readonly Shape[];
export type Height = "front" | "forward" | "backward" | "back";

/** How far a drawn line may be from what is made of it, in pixels. */
const PEN_TOLERANCE = 1.5;
/** So that a change stays well below what a server takes. */
const LONGEST_STROKE = 200;
const LONGEST_TEXT = 8_000;

export function find(shapes: Shapes, id: ShapeId, groups: Shapes = []): Found | undefined {
  for (const shape of shapes) {
    if (shape.id === id) return { shape, groups, siblings: shapes };
    const found = find(shape.children, id, [...groups, shape]);
    if (found) return found;
  }
}

/** Where the coordinates of what is in these groups begin. */
export function originOf(groups: Shapes): Point {
  return groups.reduce((at, { x, y }) => ({ x: at.x + x, y: at.y + y }), { x: 0, y: 0 });
}

export function add(shapes: Shapes, shape: ShapeId, properties: Properties): Edit {
  return { kind: "add", shape, parent: null, above: shapes.at(-1)?.id ?? null, properties };
}

/** A stroke of the pen: a group of lines, which moves, and goes, as one. */
export function stroke(shapes: Shapes, points: readonly Point[], color: string): Edit[] {
  const corners = simplified(points, PEN_TOLERANCE);
  const step = Math.ceil(corners.length / LONGEST_STROKE);
  const kept = corners.filter((_, i) => i % step === 0 || i === corners.length - 1);
  const parent = crypto.randomUUID();
  const lines = kept.slice(1).map((to, i): Edit => {
    const from = kept[i] as Point;
    const place = { parent, above: i === 0 ? null : `${parent}-${i - 1}` };
    const properties = { ...lineBetween(from, to), color };
    return { kind: "add", shape: `${parent}-${i}`, ...place, properties };
  });
  return lines.length === 0 ? [] : [add(shapes, parent, groupProperties(color)), ...lines];
}

export function lineBetween(from: Point, to: Point): Omit<Properties, "color"> {
  return { type: "line", ...from, width: to.x - from.x, height: to.y - from.y };
}

export function boxBetween(type: "rectangle" | "ellipse", from: Point, to: Point) {
  return { type, ...between(from, to) };
}

const groupProperties = (color: string): Properties => ({
  type: "group",
  x: 0,
  y: 0,
  width: 0,
  height: 0,
  color,
});

export function move(shapes: Shapes, ids: Iterable<ShapeId>, by: Point): Edit[] {
  if (by.x === 0 && by.y === 0) return [];
  return foundOf(shapes, ids).map(({ shape: { id, x, y } }) => ({
    kind: "set",
    shape: id,
    properties: { x: x + by.x, y: y + by.y },
  }));
}

export function remove(shapes: Shapes, ids: Iterable<ShapeId>): Edit[] {
  return foundOf(shapes, ids).map(({ shape }) => ({ kind: "delete", shape: shape.id }));
}

/** What is already there keeps its coordinates: whoever moves it at the same moment moves it as far. */
export function group(shapes: Shapes, ids: Iterable<ShapeId>, id: ShapeId): Edit[] {
  const members = inOrder(shapes, ids);
  const top = members.at(-1);
  if (!top) return [];
  const parent = top.groups.at(-1)?.id ?? null;
  const properties = groupProperties(top.shape.color);
  const moves = members.map(({ shape }, i): Edit => {
    const above = members[i - 1]?.shape.id ?? null;
    return { kind: "move", shape: shape.id, parent: id, above };
  });
  return [{ kind: "add", shape: id, parent, above: top.shape.id, properties }, ...moves];
}

export function canGroup(shapes: Shapes, ids: Iterable<ShapeId>): boolean {
  return inOrder(shapes, ids).length >= 2;
}

export function ungroup(shapes: Shapes, ids: Iterable<ShapeId>): Edit[] {
  return foundOf(shapes, ids)
    .filter(({ shape }) => shape.type === "group")
    .flatMap(({ shape: { id, x, y, children }, groups }) => {
      const parent = groups.at(-1)?.id ?? null;
      const moves = children.flatMap((child, i): Edit[] => [
        { kind: "move", shape: child.id, parent, above: children[i - 1]?.id ?? id },
        ...move(shapes, [child.id], { x, y }),
      ]);
      return [...moves, { kind: "delete", shape: id } satisfies Edit];
    });
}

/** Among their siblings; shapes keep their order among themselves. */
export function restack(shapes: Shapes, ids: Iterable<ShapeId>, height: Height): Edit[] {
  const members = inOrder(shapes, ids);
  const chosen = new Set(members.map(({ shape }) => shape.id));
  const siblings = members[0]?.siblings ?? [];
  const parent = members[0]?.groups.at(-1)?.id ?? null;
  const others = siblings.filter(({ id }) => !chosen.has(id));
  const target = siblings.map(({ id }) => id);
  const ends = height === "front" || height === "back";
  if (ends) {
    const rest = others.map(({ id }) => id);
    target.splice(
      0,
      Infinity,
      ...(height === "front" ? [...rest, ...chosen] : [...chosen, ...rest]),
    );
  } else {
    const up = height === "forward" ? 1 : -1;
    const turns = up === 1 ? [...chosen].reverse() : [...chosen];
    for (const id of turns) {
      const at = target.indexOf(id);
      const next = target[at + up];
      if (next === undefined || chosen.has(next)) continue;
      target[at + up] = id;
      target[at] = next;
    }
  }
  if (target.every((id, i) => id === siblings[i]?.id)) return [];
  return target.flatMap((shape, i) =>
    chosen.has(shape) ? { kind: "move", shape, parent, above: target[i - 1] ?? null } : [],
  );
}

/**
 * What is typed; a long text in as many pieces as it takes.
 * @param text as it is now
 * @returns the edits of each change
 */
export function type(shape: ShapeId, text: string, { at, removed, inserted }: Splice): Edit[][] {
  const gone = pieces(text.slice(at, at + removed));
  const removal = gone.map(({ length }): Edit => ({ kind: "remove", shape, at, length }));
  let from = at;
  const [first = [], ...others] = pieces(inserted).map((piece): Edit[] => {
    const edit: Edit = { kind: "insert", shape, at: from, text: piece };
    from += piece.length;
    return [edit];
  });
  return [[...removal, ...first], ...others].filter((edits) => edits.length > 0);
}

/** None of them ends within a surrogate pair. */
function pieces(text: string): string[] {
  const found: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + LONGEST_TEXT);
    if (to < text.length && /[\ud800-\udbff]/.test(text.charAt(to - 1))) to -= 1;
    found.push(text.slice(from, to));
    from = to;
  }
  return found;
}

function foundOf(shapes: Shapes, ids: Iterable<ShapeId>): Found[] {
  const chosen = new Set(ids);
  return [...chosen].flatMap((id) => {
    const found = find(shapes, id);
    // What happens to a group happens to all that is in it.
    return found && !found.groups.some((group) => chosen.has(group.id)) ? found : [];
  });
}

/** From the lowest to the highest; none where they aren't siblings. */
function inOrder(shapes: Shapes, ids: Iterable<ShapeId>): Found[] {
  const found = foundOf(shapes, ids);
  const siblings = found[0]?.siblings ?? [];
  if (found.some((one) => one.siblings !== siblings)) return [];
  return found.sort((a, b) => siblings.indexOf(a.shape) - siblings.indexOf(b.shape));
}
