import type { Actor } from "../../contract.ts";

/** Whether somebody had seen a change when they made another one; their own ones always. */
export type Sees = (actor: Actor, seq: number) => boolean;

/** No replica of this kind makes such an operation. */
export class Unsound extends Error {
  override readonly name = "Unsound";
}
