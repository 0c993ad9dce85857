/**
 * What a dead or a hanging Redis costs the reads that meet it: those that began while the node still
 * believed in Redis, and were not answered by it. Each trial breaks Redis under a closed loop of
 * clients, and compares with the reads before that.
 */

import { setTimeout as wait } from "node:timers/promises";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { median, quantile } from "d3-array";
import { type CallNotes, noted } from "../src/telemetry.ts";
import { type Finding, ms, type Stage, untilUp } from "./stage.ts";

const TRIALS = 12;
const CLIENTS = 16;
const HEALTHY_MS = 300;
const BROKEN_MS = 1_000;
const CLAIMED_MS = 100;

interface Read {
  readonly tookMs: number;
  readonly endedAt: number;
  /** The node believed in Redis when it began. */
  readonly believed: boolean;
  readonly tier: CallNotes["tier"];
  /** Refused, or nothing found. */
  readonly failed: boolean;
}

export async function outage(stage: Stage): Promise<Finding> {
  const rows: string[][] = [];
  let worst = 0;
  let failed = 0;
  for (const fault of [kill, pause]) {
    const [healthy, broken, extra]: number[][] = [[], [], []];
    for (let trial = 0; trial < TRIALS; trial++) {
      const { reads, brokenAt } = await tryOnce(stage, fault);
      failed += reads.filter((read) => read.failed).length;
      const before = reads.filter(({ endedAt }) => endedAt < brokenAt);
      const after = reads.filter(({ endedAt }) => endedAt >= brokenAt);
      const usual = median(before, ({ tookMs }) => tookMs) ?? Number.NaN;
      const met = after.filter(({ believed, tier }) => believed && tier !== "redis");
      healthy?.push(...before.map(({ tookMs }) => tookMs));
      broken?.push(...after.map(({ tookMs }) => tookMs));
      extra?.push(...met.map(({ tookMs }) => tookMs - usual));
    }
    for (const [what, values = []] of [
      ["Redis is up", healthy],
      [`the second after ${fault.name}`, broken],
      [`extra, of those that met ${fault.name}`, extra],
    ] as const) {
      rows.push([
        what,
        String(values.length),
        ...[0.5, 0.99, 1].map((share) => ms(quantile(values, share))),
      ]);
    }
    rows.push([`failed, with ${fault.name}`, String(failed), "", "", ""]);
    worst = Math.max(worst, quantile(extra ?? [], 0.99) ?? Number.NaN);
  }
  return {
    claim: `A read that meets a dead or hanging Redis takes at most ${CLAIMED_MS} ms more, at p99, and none fails.`,
    holds: worst <= CLAIMED_MS && failed === 0,
    head: ["reads, in ms", "count", "p50", "p99", "max"],
    rows,
  };
}

async function tryOnce({ node, redis, ids }: Stage, fault: typeof kill | typeof pause) {
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
  await wait(HEALTHY_MS);
  const brokenAt = performance.now();
  const active = await redis.inject(fault);
  await wait(BROKEN_MS);
  ending = true;
  await clients;
  await active.heal();
  await untilUp(node);
  return { reads, brokenAt };
}
