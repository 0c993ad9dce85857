import { setTimeout as wait } from "node:timers/promises";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { defineExperiment } from "@db-katas/measure";
import { median } from "d3-array";
import type { Node } from "../src/open.ts";
import { type CallNotes, noted } from "../src/telemetry.ts";
import { fillSessions, openNodeOn, untilUp } from "./node.ts";
import { bothStores } from "./readers.ts";

const CLIENTS = 16;
const HEALTHY_MS = 300;
const BUDGET_MS = 500;
const faults = { kill, pause };

interface Read {
  readonly tookMs: number;
  readonly endedAt: number;
  /** The node believed in Redis when it began. */
  readonly believed: boolean;
  readonly tier: CallNotes["tier"];
  /** Refused, or nothing found. */
  readonly failed: boolean;
}

export default defineExperiment({
  title:
    "What a dead or a hanging Redis costs the reads that meet it: begun while the node believed in it, and not answered by it.",
  parameters: {
    brokenMs: { what: "how long Redis is away, in milliseconds", full: 1_000, quick: 400 },
  },
  engines: {
    ...bothStores,
    redis: { engine: "redis", isolation: "instance", needs: ["pause", "kill"] },
  },
  contenders: { kill: { what: "Redis is killed" }, pause: { what: "Redis is paused" } },
  metrics: {
    extra: { what: "beyond the median of the reads before", kind: "latency", unit: "ms" },
  },
  turns: 12,
  warmUpTurns: 0,
  async open({ leases, parameters: { brokenMs = 0 } }) {
    const node = await openNodeOn(leases, BUDGET_MS);
    const ids = await fillSessions(node, 64);
    return {
      async measure(contender, turn) {
        const clients = startClients(node, ids);
        await wait(HEALTHY_MS);
        const brokenAt = performance.now();
        const active = await leases.redis?.inject(faults[contender as keyof typeof faults]);
        await wait(brokenMs);
        const reads = await clients.end();
        await active?.heal();
        await untilUp(node);
        const before = reads.filter(({ endedAt }) => endedAt < brokenAt);
        const usual = median(before, ({ tookMs }) => tookMs) ?? Number.NaN;
        for (const { tookMs, endedAt, believed, tier } of reads) {
          const metIt = endedAt >= brokenAt && believed && tier !== "redis";
          if (metIt) turn.record("extra", Math.max(0, tookMs - usual));
        }
        turn.record("failed", reads.filter(({ failed }) => failed).length);
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});

/** Clients that each read the next session when they have the last one. */
function startClients(node: Node, ids: readonly string[]) {
  const reads: Read[] = [];
  let ending = false;
  const client = async (first: number): Promise<void> => {
    for (let n = first; !ending; n = (n + CLIENTS) % ids.length) {
      const notes: CallNotes = {};
      const believed = node.status().redis === "up";
      const from = performance.now();
      const found = await noted(notes, () => node.get(ids[n] ?? "")).catch(() => null);
      const endedAt = performance.now();
      reads.push({ tookMs: endedAt - from, endedAt, believed, tier: notes.tier, failed: !found });
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  return {
    async end(): Promise<readonly Read[]> {
      ending = true;
      await clients;
      return reads;
    },
  };
}
