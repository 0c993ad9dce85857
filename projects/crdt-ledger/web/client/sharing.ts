/** So that only what has changed is drawn anew. */
import type { Shape } from "../../contract.ts";

const FIELDS = ["type", "x", "y", "width", "height", "color", "text"] as const;

/** What is now; of it, whatever equals what was before is the same object as then. */
export function sharing(before: readonly Shape[], now: readonly Shape[]): readonly Shape[] {
  const known = new Map(before.map((shape) => [shape.id, shape]));
  const shapes = now.map((shape) => {
    const old = known.get(shape.id);
    if (!old) return shape;
    const children = sharing(old.children, shape.children);
    const isSame = children === old.children && FIELDS.every((name) => old[name] === shape[name]);
    return isSame ? old : { ...shape, children };
  });
  const areSame =
    shapes.length === before.length && shapes.every((shape, i) => shape === before[i]);
  return areSame ? before : shapes;
}
