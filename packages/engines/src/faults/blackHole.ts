import { hit, type NodeOptions } from "../fault.ts";
import type { Fault } from "../types.ts";

export const blackHole: Fault<NodeOptions | undefined> = {
  name: "blackHole",
  capability: "partition",
  scope: "network",
  summary: "a partition: packets vanish in both directions, nobody is told",
  async inject({ proxies }, options) {
    const undo = hit(proxies, options).map((proxy) => proxy.blackHole());
    return async () => {
      for (const each of undo) each();
    };
  },
};
