/** What this person has in hand: nobody else sees any of it. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Properties, Shape, ShapeId, View } from "../../contract.ts";
import { type Found, find, originOf, type Shapes } from "./edits.ts";
import { around, type Box, boxOf } from "./geometry.ts";
import { History } from "./history.ts";
import type { Session } from "./session.ts";
import type { Point } from "./sync/visit.ts";

export const TOOLS = ["select", "hand", "rectangle", "ellipse", "line", "text", "pen"] as const;
export type Tool = (typeof TOOLS)[number];

export const COLORS = {
  black: "#1f2430",
  red: "#c2252f",
  orange: "#b45309",
  green: "#1a7f37",
  blue: "#1d5fbf",
  violet: "#7c3aad",
} as const;

const SMALLEST_SCALE = 0.1;
const LARGEST_SCALE = 8;

/** What is being drawn, moved or marked, and isn't done yet. */
export type Draft =
  | { readonly kind: "shape"; readonly properties: Properties }
  | { readonly kind: "pen"; readonly points: readonly Point[] }
  | { readonly kind: "move"; readonly by: Point }
  | { readonly kind: "resize"; readonly by: Point }
  | { readonly kind: "mark"; readonly box: Box };

export class Desk {
  readonly session: Session;
  readonly tool = signal<Tool>("select");
  readonly color = signal<string>(COLORS.blue);
  readonly draft = signal<Draft | null>(null);
  /** What was typed since a text was put on the board and has no field yet; null: no field is waited for. */
  typedAhead: string | null = null;
  /** The point of the board at the upper left, and how many pixels one of its units has. */
  readonly camera = signal({ x: 0, y: 0, scale: 1 });
  /** Which step of which history is looked at; null: what is now. */
  readonly past = signal<{ readonly history: History; readonly step: number } | null>(null);
  readonly #chosen = signal<ReadonlySet<ShapeId>>(new Set());
  readonly view: ReadonlySignal<View> = computed(() => {
    const past = this.past.value;
    return past ? past.history.at(past.step) : this.session.view.value;
  });
  /** Those of the chosen that are still there. */
  readonly selection = computed<readonly Found[]>(() => {
    if (this.past.value) return [];
    const { shapes } = this.session.view.value;
    return [...this.#chosen.value].flatMap((id) => find(shapes, id) ?? []);
  });
  readonly selected = computed(() => new Set(this.selection.value.map(({ shape }) => shape.id)));

  constructor(session: Session) {
    this.session = session;
  }

  get shapes(): Shapes {
    return this.session.view.value.shapes;
  }

  select(ids: Iterable<ShapeId>): void {
    this.#chosen.value = new Set(ids);
  }

  toggle(id: ShapeId): void {
    const chosen = new Set(this.#chosen.value);
    if (!chosen.delete(id)) chosen.add(id);
    this.#chosen.value = chosen;
  }

  /** Where on the board something of a shape's own coordinates is. */
  boxOnBoard({ shape, groups }: Pick<Found, "shape" | "groups">): Box | null {
    const box = boxOf(shape);
    const origin = originOf(groups);
    return box && { ...box, x: box.x + origin.x, y: box.y + origin.y };
  }

  /** @param at a point in pixels from the board's upper left; the default is a step at its middle */
  zoom(factor: number, at: Point): void {
    const { x, y, scale } = this.camera.value;
    const next = Math.min(LARGEST_SCALE, Math.max(SMALLEST_SCALE, scale * factor));
    // The point of the board that is there stays there.
    const shift = 1 / scale - 1 / next;
    this.camera.value = { x: x + at.x * shift, y: y + at.y * shift, scale: next };
  }

  /** @param by in pixels */
  pan(by: Point): void {
    const { x, y, scale } = this.camera.value;
    this.camera.value = { x: x - by.x / scale, y: y - by.y / scale, scale };
  }

  /** Shows all there is. @param size of the board in pixels */
  fit(size: { readonly width: number; readonly height: number }): void {
    const box = around(this.view.value.shapes.map(boxOf));
    if (!box) {
      this.camera.value = { x: 0, y: 0, scale: 1 };
      return;
    }
    const margin = 40;
    const scale = Math.min(
      1,
      (size.width - 2 * margin) / Math.max(1, box.width),
      (size.height - 2 * margin) / Math.max(1, box.height),
    );
    const fitting = Math.max(SMALLEST_SCALE, scale);
    this.camera.value = {
      x: box.x - (size.width / fitting - box.width) / 2,
      y: box.y - (size.height / fitting - box.height) / 2,
      scale: fitting,
    };
  }

  async openPast(): Promise<void> {
    const saved = await this.session.save();
    const { document, doors } = this.session.config;
    const history = new History(document, saved, doors.treasurer);
    this.past.value = { history, step: history.steps.length };
  }

  stepTo(step: number): void {
    const past = this.past.value;
    if (past) this.past.value = { ...past, step };
  }

  closePast(): void {
    this.past.value = null;
  }
}

/** What a screen reader says of a shape. */
export function labelOf({ type, text, color, children }: Shape): string {
  const name = Object.entries(COLORS).find(([, value]) => value === color)?.[0] ?? color;
  if (type === "group") return `group of ${children.length}`;
  return `${name} ${type}${text ? `: ${text}` : ""}`;
}
