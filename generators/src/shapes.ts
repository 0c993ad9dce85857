import type { EnginePart } from "./engines.ts";
import { shapeUnknown } from "./errors.ts";

/** How the grader calls app nodes, with what that means. */
export const SHAPES = {
  library: "functions, over RPC: nothing of a protocol is graded",
  http: "HTTP, at the address that a node tells",
  websocket: "WebSocket, at the address that a node tells",
} as const;

export type Shape = keyof typeof SHAPES;

/** What the server of a shape is made of. */
export const shapePackages: Readonly<
  Record<Shape, Pick<EnginePart, "dependencies" | "devDependencies">>
> = {
  library: { dependencies: {}, devDependencies: {} },
  http: { dependencies: {}, devDependencies: {} },
  websocket: { dependencies: { ws: "8.23.0" }, devDependencies: { "@types/ws": "8.18.2" } },
};

/** @throws GeneratorError `SHAPE_UNKNOWN` */
export function checkShape(name: string): Shape {
  if (!Object.hasOwn(SHAPES, name)) throw shapeUnknown(name, Object.keys(SHAPES));
  return name as Shape;
}
