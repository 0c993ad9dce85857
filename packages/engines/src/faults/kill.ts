import { type MemberOptions, serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const kill: Fault<MemberOptions | undefined> = {
  name: "kill",
  capability: "kill",
  scope: "server",
  summary: "the server dies without a word: SIGKILL, an out-of-memory kill, a crashed node",
  async inject(target, options) {
    const server = serverOf(target);
    await server.kill(options?.member);
    return () => server.start();
  },
};
