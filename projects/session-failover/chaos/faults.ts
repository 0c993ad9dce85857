/** The faults of schedules, by name. What they do is known as soon as they are injected. */
import type { ActiveFault, Fault, Lease } from "@db-katas/engines";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { delay } from "@db-katas/engines/faults/delay";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { stop } from "@db-katas/engines/faults/stop";
import type { ChaosEvent } from "./schedule.ts";

/** `restartEmpty` in two steps, so that there is an outage whose beginning and end are known. */
const replace: Fault = {
  name: "replace",
  capability: "restartEmpty",
  scope: "server",
  summary: "the server dies, and another one, empty, takes its address",
  async inject({ server }) {
    if (!server) throw new Error("a server fault needs a server");
    await server.kill();
    return async () => {
      await server.wipe();
      await server.start();
    };
  },
};

/** What schedules need a Redis to be capable of. */
export const capabilities = [
  ...new Set(
    [blackHole, delay, kill, pause, replace, resetConnections, stop].map(
      ({ capability }) => capability,
    ),
  ),
];

export function inject(lease: Lease, { fault, nodes, delayMs }: ChaosEvent): Promise<ActiveFault> {
  const where = nodes ? { nodes } : {};
  switch (fault) {
    case "kill":
      return lease.inject(kill);
    case "stop":
      return lease.inject(stop);
    case "pause":
      return lease.inject(pause);
    case "replace":
      return lease.inject(replace);
    case "blackHole":
      return lease.inject(blackHole, where);
    case "resetConnections":
      return lease.inject(resetConnections, where);
    case "delay":
      return lease.inject(delay, { ...where, ms: delayMs ?? 0 });
  }
}
