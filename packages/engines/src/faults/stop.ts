import { serverOf } from "../fault.ts";
import type { Fault } from "../types.ts";

export const stop: Fault = {
  name: "stop",
  capability: "stop",
  scope: "server",
  summary: "the server shuts down in good order and stays down: maintenance",
  async inject(target) {
    const server = serverOf(target);
    await server.stop();
    return () => server.start();
  },
};
