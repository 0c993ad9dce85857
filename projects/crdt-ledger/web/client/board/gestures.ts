/** From pointers to drafts, and from a draft that is done to edits. Mouse, pen and fingers are alike. */
import type { ShapeId } from "../../../contract.ts";
import { add, textAt } from "../actions.ts";
import type { Desk, Draft } from "../desk.ts";
import { boxBetween, lineBetween, move, stroke } from "../edits.ts";
import { between, touches } from "../geometry.ts";
import type { Point } from "../sync/visit.ts";

/** A pointer that moves less than this, in pixels, has only clicked. */
const CLICK = 4;

interface Press {
  readonly from: Point;
  readonly screen: Point;
  readonly on: "board" | "shape" | "handle";
  moved: boolean;
}

export class Gestures {
  readonly #desk: Desk;
  readonly #board: SVGSVGElement;
  /** By pointer, in pixels. */
  readonly #down = new Map<number, Point>();
  #press: Press | undefined;
  /** Two fingers move the board, whatever the tool is. */
  #pinching = false;

  constructor(desk: Desk, board: SVGSVGElement) {
    this.#desk = desk;
    this.#board = board;
    board.addEventListener("pointerdown", (event) => this.#begin(event));
    board.addEventListener("pointermove", (event) => this.#go(event));
    board.addEventListener("pointerup", (event) => this.#end(event, true));
    board.addEventListener("pointercancel", (event) => this.#end(event, false));
    board.addEventListener("dblclick", (event) => this.#enter(event));
    board.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  cancel(): void {
    this.#press = undefined;
    this.#desk.draft.value = null;
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    const screen = this.#screen(event);
    this.#down.set(event.pointerId, screen);
    this.#board.setPointerCapture(event.pointerId);
    if (this.#down.size > 1) {
      this.#pinching = true;
      this.cancel();
      return;
    }
    const desk = this.#desk;
    const shape = topmost(event.target);
    const handle = event.target instanceof Element && event.target.hasAttribute("data-handle");
    const selecting = desk.tool.value === "select" && desk.past.value === null;
    const on = selecting && handle ? "handle" : selecting && shape ? "shape" : "board";
    this.#press = { from: this.#onBoard(screen), screen, on, moved: false };
    if (on !== "shape" || !shape) return;
    if (event.shiftKey) desk.toggle(shape);
    else if (!desk.selected.value.has(chosenWithin(desk, event.target) ?? shape))
      desk.select([shape]);
  }

  #go(event: PointerEvent): void {
    const screen = this.#screen(event);
    const before = this.#down.get(event.pointerId);
    this.#desk.session.point(this.#onBoard(screen));
    if (!before) return;
    if (this.#pinching) {
      this.#pinch(event.pointerId, before, screen);
      return;
    }
    this.#down.set(event.pointerId, screen);
    const press = this.#press;
    if (!press) return;
    press.moved ||= Math.hypot(screen.x - press.screen.x, screen.y - press.screen.y) >= CLICK;
    if (!press.moved) return;
    if (this.#desk.tool.value === "hand" || this.#desk.past.value) {
      this.#desk.pan({ x: screen.x - before.x, y: screen.y - before.y });
    } else {
      this.#desk.draft.value = this.#draft(press, this.#onBoard(screen));
    }
  }

  #end(event: PointerEvent, done: boolean): void {
    this.#down.delete(event.pointerId);
    if (this.#pinching) {
      this.#pinching = this.#down.size > 0;
      return;
    }
    const press = this.#press;
    const draft = this.#desk.draft.value;
    this.#press = undefined;
    if (press && done) void this.#finish(press, draft);
    else this.cancel();
  }

  #draft({ from, on }: Press, to: Point): Draft | null {
    const desk = this.#desk;
    const by = { x: Math.round(to.x - from.x), y: Math.round(to.y - from.y) };
    if (on === "shape") return { kind: "move", by };
    if (on === "handle") return { kind: "resize", by };
    const color = desk.color.value;
    const [start, end] = [rounded(from), rounded(to)];
    switch (desk.tool.value) {
      case "rectangle":
      case "ellipse":
        return { kind: "shape", properties: { ...boxBetween(desk.tool.value, start, end), color } };
      case "line":
        return { kind: "shape", properties: { ...lineBetween(start, end), color } };
      case "pen": {
        const draft = desk.draft.value;
        const points = draft?.kind === "pen" ? draft.points : [start];
        return { kind: "pen", points: [...points, end] };
      }
      case "select":
        return { kind: "mark", box: between(from, to) };
      default:
        return null;
    }
  }

  /** The draft stays to be seen until the edit has taken effect. */
  async #finish({ from, on, moved }: Press, draft: Draft | null): Promise<void> {
    const desk = this.#desk;
    const { session, shapes } = desk;
    if (desk.past.value) return;
    if (!moved && desk.tool.value === "text")
      await add(desk, { ...textAt(rounded(from)), color: desk.color.value });
    else if (!moved && desk.tool.value === "select" && on === "board") desk.select([]);
    switch (draft?.kind) {
      case "shape":
        await add(desk, draft.properties);
        break;
      case "pen":
        await session.edit(stroke(shapes, draft.points, desk.color.value));
        break;
      case "move":
        await session.edit(move(shapes, desk.selected.value, draft.by));
        break;
      case "resize": {
        const [found] = desk.selection.value;
        if (!found) break;
        const { id, width, height } = found.shape;
        const properties = { width: width + draft.by.x, height: height + draft.by.y };
        await session.edit([{ kind: "set", shape: id, properties }]);
        break;
      }
      case "mark": {
        const inside = shapes.filter((shape) => {
          const box = desk.boxOnBoard({ shape, groups: [] });
          return box && touches(box, draft.box);
        });
        desk.select(inside.map(({ id }) => id));
      }
    }
    desk.draft.value = null;
  }

  /** A shape within a group can be chosen alone. */
  #enter({ clientX, clientY }: MouseEvent): void {
    // The event itself is the board's, which has captured the pointer.
    const id = idOf(document.elementFromPoint(clientX, clientY));
    if (id && this.#desk.tool.value === "select" && !this.#desk.past.value) {
      this.#desk.select([id]);
      // The field is there when the page has been drawn anew, which is already under way.
      queueMicrotask(() => document.querySelector<HTMLTextAreaElement>("#text")?.focus());
    }
  }

  #pinch(pointer: number, before: Point, now: Point): void {
    const [other] = [...this.#down].flatMap(([id, at]) => (id === pointer ? [] : [at]));
    this.#down.set(pointer, now);
    if (!other) return;
    const apart = (at: Point) => Math.hypot(at.x - other.x, at.y - other.y) || 1;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    this.#desk.pan({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    this.#desk.zoom(apart(now) / apart(before), middle);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      this.#desk.zoom(2 ** (-event.deltaY / 200), this.#screen(event));
    } else {
      this.#desk.pan({ x: -event.deltaX, y: -event.deltaY });
    }
  }

  #screen({ clientX, clientY }: MouseEvent): Point {
    const { left, top } = this.#board.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  #onBoard({ x, y }: Point): Point {
    const camera = this.#desk.camera.value;
    return { x: camera.x + x / camera.scale, y: camera.y + y / camera.scale };
  }
}

const rounded = ({ x, y }: Point): Point => ({ x: Math.round(x), y: Math.round(y) });

function idOf(target: EventTarget | null): ShapeId | undefined {
  const element = target instanceof Element ? target.closest("[data-shape]") : null;
  return element?.getAttribute("data-shape") ?? undefined;
}

/** The shapes that an element is of, from the innermost to the outermost. */
function idsAround(target: EventTarget | null): ShapeId[] {
  const ids: ShapeId[] = [];
  let at = target instanceof Element ? target.closest("[data-shape]") : null;
  while (at) {
    ids.push(at.getAttribute("data-shape") as ShapeId);
    at = at.parentElement?.closest("[data-shape]") ?? null;
  }
  return ids;
}

const topmost = (target: EventTarget | null) => idsAround(target).at(-1);
const chosenWithin = (desk: Desk, target: EventTarget | null) =>
  idsAround(target).find((id) => desk.selected.value.has(id));
