import { setTimeout as wait } from "node:timers/promises";
import type { ActiveFault } from "@db-katas/engines";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { defineExperiment } from "@db-katas/measure";
import { fillSessions, openNodeOn, untilUp } from "./node.ts";
import { bothStores } from "./readers.ts";

/** As an application would set it: with half a second, an outage is noticed at once. */
const BUDGET_MS = 500;

export default defineExperiment({
  title: "How long a node goes on without Redis when Redis is there again.",
  parameters: {
    // Pauses between the node's attempts have grown to their limit after two seconds.
    outageMs: { what: "how long Redis is away, in milliseconds", full: 2_000, quick: 300 },
  },
  engines: {
    ...bothStores,
    redis: { engine: "redis", isolation: "instance", needs: ["pause", "kill"] },
  },
  contenders: {
    kill: { what: "Redis was killed" },
    pause: { what: "Redis was paused" },
    blackHole: { what: "Redis was cut off, without a word" },
  },
  metrics: { back: { what: "until Redis is used again", kind: "latency", unit: "ms" } },
  turns: 10,
  warmUpTurns: 0,
  async open({ leases: { redis, ...others }, parameters: { outageMs = 0 } }) {
    if (!redis) throw new Error("The experiment names redis.");
    const outages: Record<string, () => Promise<ActiveFault>> = {
      kill: () => redis.inject(kill),
      pause: () => redis.inject(pause),
      blackHole: () => redis.inject(blackHole),
    };
    const node = await openNodeOn({ ...others, redis }, BUDGET_MS);
    const [id = ""] = await fillSessions(node, 1);
    return {
      async measure(contender, turn) {
        const active = await outages[contender]?.();
        // Reads find out.
        while (node.status().redis === "up") await node.get(id);
        // Not always at the same moment between two attempts.
        await wait(outageMs + turn.number * 37);
        await active?.heal();
        turn.record("back", await untilUp(node));
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});
