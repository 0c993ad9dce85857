import { nothingToHeal, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const restartEmpty: Fault = {
  name: "restartEmpty",
  capability: "restartEmpty",
  scope: "server",
  summary: "the server comes back without its data: a lost disk, a cache node replaced",
  async inject(target) {
    const server = serverOf(target);
    await server.kill();
    await server.wipe();
    await server.start();
    return nothingToHeal;
  },
};
