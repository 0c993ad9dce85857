import { troubleOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const outOfMemory: Fault = {
  name: "outOfMemory",
  capability: "outOfMemory",
  scope: "server",
  summary: "writes are refused for lack of memory, reads are answered: the limit is reached",
  inject: (target) => troubleOf(target, "outOfMemory"),
};
