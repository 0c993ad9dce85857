import { serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const kill: Fault = {
  name: "kill",
  capability: "kill",
  scope: "server",
  summary: "the server dies without a word: SIGKILL, an out-of-memory kill, a crashed node",
  async inject(target) {
    const server = serverOf(target);
    await server.kill();
    return () => server.start();
  },
};
