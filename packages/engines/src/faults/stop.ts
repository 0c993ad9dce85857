import { type MemberOptions, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const stop: Fault<MemberOptions | undefined> = {
  name: "stop",
  capability: "stop",
  scope: "server",
  summary: "the server shuts down in good order and stays down: maintenance",
  async inject(target, options) {
    const server = serverOf(target);
    await server.stop(options?.member);
    return () => server.start();
  },
};
