import { serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const pause: Fault = {
  name: "pause",
  capability: "pause",
  scope: "server",
  summary: "the server hangs: connections stay open, new ones are accepted, nothing answers",
  async inject(target) {
    const server = serverOf(target);
    await server.pause();
    return () => server.resume();
  },
};
