import { type MemberOptions, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const pause: Fault<MemberOptions | undefined> = {
  name: "pause",
  capability: "pause",
  scope: "server",
  summary: "the server hangs: connections stay open, new ones are accepted, nothing answers",
  async inject(target, options) {
    const server = serverOf(target);
    await server.pause(options?.member);
    return () => server.resume(options?.member);
  },
};
