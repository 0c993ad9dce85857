import { type MemberOptions, nothingToHeal, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const restart: Fault<MemberOptions | undefined> = {
  name: "restart",
  capability: "restart",
  scope: "server",
  summary: "the server is restarted in good order, with its data: a deployment, an upgrade",
  async inject(target, options) {
    const server = serverOf(target);
    await server.stop(options?.member);
    await server.start();
    return nothingToHeal;
  },
};
