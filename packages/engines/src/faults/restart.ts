import { nothingToHeal, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const restart: Fault = {
  name: "restart",
  capability: "restart",
  scope: "server",
  summary: "the server is restarted in good order, with its data: a deployment, an upgrade",
  async inject(target) {
    const server = serverOf(target);
    await server.stop();
    await server.start();
    return nothingToHeal;
  },
};
