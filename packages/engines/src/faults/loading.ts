import { troubleOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const loading: Fault = {
  name: "loading",
  capability: "loading",
  scope: "server",
  summary: "the server was restarted and isn't ready: it accepts connections and refuses all else",
  inject: (target) => troubleOf(target, "loading"),
};
