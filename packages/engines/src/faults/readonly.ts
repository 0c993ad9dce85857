import { troubleOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const readonly: Fault = {
  name: "readonly",
  capability: "readonly",
  scope: "server",
  summary: "writes are refused, reads are answered: a failover made this server a replica",
  inject: (target) => troubleOf(target, "readonly"),
};
