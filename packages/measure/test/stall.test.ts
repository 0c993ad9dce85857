import { setTimeout as wait } from "node:timers/promises";
import { openEngines } from "@db-katas/engines";
import { pause } from "@db-katas/engines/faults/pause";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { applyLoad, type Load } from "../src/index.ts";

it("a Redis that hangs for 200 ms: the open loop reports it, the closed loop doesn't", async (context) => {
  await using run = await openEngines();
  const { chosen } = await run.probe("redis", ["pause"]);
  if (!chosen) return context.skip("no Redis here that can be paused");
  await using redis = await run.lease("redis", { isolation: "instance", needs: ["pause"] });
  const client = new Redis(redis.adminUrl);
  const measure = async (load: Load) => {
    const working = applyLoad(load, () => client.get("key"));
    await wait(300);
    const from = performance.now();
    await using hanging = await redis.inject(pause);
    await wait(200);
    await hanging.heal();
    const stalledMs = performance.now() - from;
    return { stalledMs, ...(await working) };
  };
  try {
    const open = await measure({ kind: "open", perSecond: 200, ms: 2_000 });
    const closed = await measure({ kind: "closed", clients: 1, ms: 2_000 });
    expect(open.latencies.quantile(0.99)).toBeGreaterThan(0.5 * open.stalledMs);
    expect(closed.latencies.quantile(0.99)).toBeLessThan(0.5 * closed.stalledMs);
    expect(closed.latencies.max).toBeGreaterThan(0.5 * closed.stalledMs);
  } finally {
    client.disconnect();
  }
});
