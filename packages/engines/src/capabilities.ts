import type { Capability } from "./types.ts";

/** What faults and proxies do to any server that is reached over TCP and started by us, whatever it is. */
export const ofAnyServer: readonly Capability[] = [
  "network",
  "kill",
  "stop",
  "pause",
  "restart",
  "restartEmpty",
  "restartStale",
  "delay",
  "partition",
];
