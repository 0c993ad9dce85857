import { troubleOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const diskFull: Fault = {
  name: "diskFull",
  capability: "diskFull",
  scope: "server",
  summary: "the disk is full: writes that need more room are refused, reads are answered",
  inject: (target) => troubleOf(target, "diskFull"),
};
