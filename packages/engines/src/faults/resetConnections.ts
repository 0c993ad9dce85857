import { hit, type NodeOptions, nothingToHeal } from "../fault.ts";
import type { Fault } from "../types.ts";

export const resetConnections: Fault<NodeOptions | undefined> = {
  name: "resetConnections",
  capability: "partition",
  scope: "network",
  summary: "every open connection breaks with a TCP reset: a load balancer or a firewall restarted",
  async inject({ proxies }, options) {
    for (const proxy of hit(proxies, options)) proxy.resetConnections();
    return nothingToHeal;
  },
};
