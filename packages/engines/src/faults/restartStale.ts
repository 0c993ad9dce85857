import { nothingToHeal, serverOf } from "../fault.ts";
import type { Fault, Snapshot } from "../types.ts";

export interface StaleOptions {
  /** From `lease.snapshot()` of the same lease. */
  readonly snapshot: Snapshot;
}

export const restartStale: Fault<StaleOptions> = {
  name: "restartStale",
  capability: "restartStale",
  scope: "server",
  summary: "the server comes back with the data of an earlier moment: an old backup or disk image",
  async inject(target, { snapshot }) {
    const server = serverOf(target);
    await server.kill();
    await server.restore?.(snapshot);
    await server.start();
    return nothingToHeal;
  },
};
