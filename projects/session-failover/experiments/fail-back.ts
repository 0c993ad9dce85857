/** How long a node goes on without Redis when Redis is there again. */
import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { quantile } from "d3-array";
import { type Finding, ms, type Stage, untilUp } from "./stage.ts";

const TRIALS = 10;
const CLAIMED_MS = 1_000;

export async function failBack({ node, redis, ids }: Stage): Promise<Finding> {
  const rows: string[][] = [];
  let worst = 0;
  const outages = {
    kill: () => redis.inject(kill),
    pause: () => redis.inject(pause),
    blackHole: () => redis.inject(blackHole),
  };
  for (const [name, begin] of Object.entries(outages)) {
    const times: number[] = [];
    for (let trial = 0; trial < TRIALS; trial++) {
      const active = await begin();
      // Reads find out. The pauses between attempts have grown to their limit after two seconds.
      while (node.status().redis === "up") await node.get(ids[0] ?? "");
      await wait(2_000 + trial * 37);
      await active.heal();
      times.push(await untilUp(node));
    }
    worst = Math.max(worst, ...times);
    rows.push([name, String(TRIALS), ...[0.5, 0.9, 1].map((share) => ms(quantile(times, share)))]);
  }
  return {
    claim: `A node uses Redis again within ${CLAIMED_MS} ms of its return.`,
    holds: worst <= CLAIMED_MS,
    head: ["back after, in ms", "trials", "p50", "p90", "max"],
    rows,
  };
}
