import { hit, type NodeOptions } from "../fault.ts";
import type { Fault } from "../types.ts";

export interface DelayOptions extends NodeOptions {
  /** Milliseconds added in each direction. */
  readonly ms: number;
  /** Up to so many milliseconds more or less. */
  readonly jitterMs?: number;
}

export const delay: Fault<DelayOptions> = {
  name: "delay",
  capability: "delay",
  scope: "network",
  summary: "the network is slow",
  async inject({ proxies }, options) {
    const undo = hit(proxies, options).map((proxy) => proxy.delay({ ...options }));
    return async () => {
      for (const each of undo) each();
    };
  },
};
