import { setTimeout as wait } from "node:timers/promises";
import { type Lease, openEngines } from "@db-katas/engines";
import { pause } from "@db-katas/engines/faults/pause";
import { Redis } from "ioredis";
import pg from "pg";
import { expect, it } from "vitest";
import { applyLoad, type Load } from "../src/index.ts";

interface Client extends AsyncDisposable {
  ask(): Promise<unknown>;
}

const clients = {
  redis({ adminUrl }: Lease): Client {
    const client = new Redis(adminUrl);
    return {
      ask: () => client.get("key"),
      [Symbol.asyncDispose]: async () => client.disconnect(),
    };
  },
  postgres({ adminUrl }: Lease): Client {
    // As many as may be asked while it hangs: a connection is had before, or would hang itself.
    const pool = new pg.Pool({ connectionString: adminUrl, max: 20 });
    return { ask: () => pool.query("SELECT 1"), [Symbol.asyncDispose]: () => pool.end() };
  },
};

it.for(["redis", "postgres"] as const)(
  "%s hangs for 200 ms: the open loop reports it, the closed loop doesn't",
  async (engine, context) => {
    await using run = await openEngines();
    const { chosen } = await run.probe(engine, ["pause"]);
    if (!chosen) return context.skip(`no ${engine} here that can be paused`);
    await using lease = await run.lease(engine, { isolation: "instance", needs: ["pause"] });
    await using client = clients[engine](lease);
    await Promise.all(Array.from({ length: 20 }, () => client.ask()));
    const measure = async (load: Load) => {
      const working = applyLoad(load, () => client.ask());
      await wait(300);
      const from = performance.now();
      await using hanging = await lease.inject(pause);
      await wait(200);
      await hanging.heal();
      const stalledMs = performance.now() - from;
      return { stalledMs, ...(await working) };
    };
    const open = await measure({ kind: "open", perSecond: 200, ms: 2_000 });
    const closed = await measure({ kind: "closed", clients: 1, ms: 2_000 });
    expect(open.latencies.quantile(0.99)).toBeGreaterThan(0.5 * open.stalledMs);
    expect(closed.latencies.quantile(0.99)).toBeLessThan(0.5 * closed.stalledMs);
    expect(closed.latencies.max).toBeGreaterThan(0.5 * closed.stalledMs);
  },
);
