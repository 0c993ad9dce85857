/** What buttons and keys do. Each can be done with either. */
import type { Desk } from "./desk.ts";
import * as edits from "./edits.ts";
import {
  boxBetween,
  canGroup,
  group,
  type Height,
  lineBetween,
  move,
  remove,
  restack,
  ungroup,
} from "./edits.ts";
import type { Point } from "./sync/visit.ts";

/** Of what is added by a key, without drawing it. */
const SIZE = { x: 120, y: 80 };
const STEP = 1;
const LONG_STEP = 10;

export interface Action {
  readonly name: string;
  /** As it is shown. */
  readonly keys: string;
  readonly matches: (event: KeyboardEvent) => boolean;
  readonly can: (desk: Desk) => boolean;
  readonly run: (desk: Desk) => void;
}

const isNow = (desk: Desk) => desk.past.value === null;
const hasSelection = (desk: Desk) => desk.selection.value.length > 0;
const withControl =
  (key: string, shift = false) =>
  (event: KeyboardEvent) =>
    (event.ctrlKey || event.metaKey) && event.shiftKey === shift && event.key.toLowerCase() === key;

function restacking(name: string, height: Height, keys: string, key: string): Action {
  return {
    name,
    keys,
    matches: (event) => event.key === key && !event.ctrlKey && !event.metaKey,
    can: hasSelection,
    run: (desk) => void desk.session.edit(restack(desk.shapes, desk.selected.value, height)),
  };
}

export const UNDO: Action = {
  name: "Undo",
  keys: "Ctrl+Z",
  matches: withControl("z"),
  can: isNow,
  run: (desk) => void desk.session.undo(),
};

export const SELECTION_ACTIONS: readonly Action[] = [
  {
    name: "Group",
    keys: "Ctrl+G",
    matches: withControl("g"),
    can: (desk) => canGroup(desk.shapes, desk.selected.value),
    run: async (desk) => {
      const id = crypto.randomUUID();
      if (await desk.session.edit(group(desk.shapes, desk.selected.value, id))) desk.select([id]);
    },
  },
  {
    name: "Ungroup",
    keys: "Ctrl+Shift+G",
    matches: withControl("g", true),
    can: (desk) => desk.selection.value.some(({ shape }) => shape.type === "group"),
    run: async (desk) => {
      const members = desk.selection.value.flatMap(({ shape }) => shape.children);
      await desk.session.edit(ungroup(desk.shapes, desk.selected.value));
      desk.select(members.map(({ id }) => id));
    },
  },
  restacking("To front", "front", "}", "}"),
  restacking("Forward", "forward", "]", "]"),
  restacking("Backward", "backward", "[", "["),
  restacking("To back", "back", "{", "{"),
  {
    name: "Delete",
    keys: "Del",
    matches: ({ key }) => key === "Delete" || key === "Backspace",
    can: hasSelection,
    run: (desk) => void desk.session.edit(remove(desk.shapes, desk.selected.value)),
  },
];

const ARROWS: Readonly<Record<string, Point>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** @returns whether the arrow moved anything */
export function nudge(desk: Desk, { key, shiftKey }: KeyboardEvent): boolean {
  const arrow = ARROWS[key];
  if (!arrow || !hasSelection(desk)) return false;
  const step = shiftKey ? LONG_STEP : STEP;
  const by = { x: arrow.x * step, y: arrow.y * step };
  void desk.session.edit(move(desk.shapes, desk.selected.value, by));
  return true;
}

/** Adds what the tool draws, without a pointer. @param middle of what is seen of the board */
export async function addInTheMiddle(desk: Desk, middle: Point): Promise<boolean> {
  const tool = desk.tool.value;
  const from = { x: Math.round(middle.x - SIZE.x / 2), y: Math.round(middle.y - SIZE.y / 2) };
  const to = { x: from.x + SIZE.x, y: from.y + SIZE.y };
  const color = desk.color.value;
  if (tool === "rectangle" || tool === "ellipse")
    return add(desk, { ...boxBetween(tool, from, to), color });
  if (tool === "line") return add(desk, { ...lineBetween(from, to), color });
  if (tool === "text") return add(desk, { ...textAt(from), color });
  return false;
}

export const textAt = (at: Point) => ({ type: "text", ...at, width: 0, height: 0 }) as const;

/** Adds a shape, and goes back to selecting. */
export async function add(
  desk: Desk,
  properties: Parameters<typeof edits.add>[2],
): Promise<boolean> {
  const id = crypto.randomUUID();
  // Whoever puts a text down types on at once, and no letter of it is a tool's.
  if (properties.type === "text") desk.typedAhead = "";
  const added = await desk.session.edit([edits.add(desk.shapes, id, properties)]);
  if (!added) {
    desk.typedAhead = null;
    return false;
  }
  desk.tool.value = "select";
  desk.select([id]);
  return true;
}
