/** Where things are. A group is nothing but an offset of what is in it. */
import type { Shape } from "../../contract.ts";
import type { Point } from "./sync/visit.ts";

export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** In the coordinates of whatever the shape is in; null for a group with nothing in it. */
export function boxOf({ type, x, y, width, height, text, children }: Shape): Box | null {
  if (type === "group") {
    const inside = around(children.map(boxOf));
    return inside && { ...inside, x: inside.x + x, y: inside.y + y };
  }
  if (type === "text") return { x, y, ...sizeOf(text) };
  return between({ x, y }, { x: x + width, y: y + height });
}

export const FONT_SIZE = 16;
export const LINE_HEIGHT = 20;
/** About; what a browser makes of it must not decide what a click meets. */
const CHARACTER_WIDTH = 9;

export function sizeOf(text: string): { width: number; height: number } {
  const lines = text.split("\n");
  const longest = Math.max(2, ...lines.map((line) => line.length));
  return { width: longest * CHARACTER_WIDTH, height: lines.length * LINE_HEIGHT };
}

export function around(boxes: readonly (Box | null)[]): Box | null {
  const found = boxes.filter((box) => box !== null);
  if (found.length === 0) return null;
  const x = Math.min(...found.map((box) => box.x));
  const y = Math.min(...found.map((box) => box.y));
  const right = Math.max(...found.map((box) => box.x + box.width));
  const bottom = Math.max(...found.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** The box of which two points are opposite corners. */
export function between(a: Point, b: Point): Box {
  return {
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  };
}

export function touches(a: Box, b: Box): boolean {
  return (
    a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height
  );
}

/**
 * A drawn line with fewer corners, none of which is farther from the drawn ones than `tolerance`
 * (Ramer, "An Iterative Procedure for the Polygonal Approximation of Plane Curves", 1972).
 */
export function simplified(points: readonly Point[], tolerance: number): Point[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length < 3) return [...points];
  const distances = points.map((point) => distance(point, first, last));
  const farthest = Math.max(...distances);
  if (farthest <= tolerance) return [first, last];
  const corner = distances.indexOf(farthest);
  return [
    ...simplified(points.slice(0, corner + 1), tolerance).slice(0, -1),
    ...simplified(points.slice(corner), tolerance),
  ];
}

/** Of a point from a stretch of a line. */
function distance({ x, y }: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const along = ((x - from.x) * dx + (y - from.y) * dy) / (dx * dx + dy * dy || 1);
  const nearest = Math.min(1, Math.max(0, along));
  return Math.hypot(x - from.x - nearest * dx, y - from.y - nearest * dy);
}
