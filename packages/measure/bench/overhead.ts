/**
 * What measuring costs: GETs per second of a closed loop of ours as a share of a bare loop around the
 * same client of the same Redis, in turns. Run: `pnpm bench` in this package. Ends with code 1 when the
 * share is certainly below 0.95.
 */
import { availableParallelism, loadavg } from "node:os";
import { openEngines } from "@db-katas/engines";
import { Redis } from "ioredis";
import { applyLoad, DEFAULT_TURNS, judge, pairedRatio } from "../src/index.ts";

const CLIENTS = 32;
const MS = 300;
const WARM_UPS = 3;

await using run = await openEngines({ onProgress: console.error });
await using lease = await run.lease("redis", { isolation: "instance" });
const redis = new Redis(lease.adminUrl);
await redis.set("key", "x".repeat(300));

/** What somebody would write who only wants to know the rate. */
async function bare(): Promise<number> {
  const begin = performance.now();
  let count = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - begin < MS) {
      await redis.get("key");
      count++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return (count * 1_000) / (performance.now() - begin);
}

async function ours(): Promise<number> {
  const load = { kind: "closed", clients: CLIENTS, ms: MS } as const;
  return (await applyLoad(load, () => redis.get("key"))).perSecond;
}

const rates = { bare: [] as number[], ours: [] as number[] };
for (let turn = -WARM_UPS; turn < DEFAULT_TURNS; turn++) {
  const order = [["bare", bare] as const, ["ours", ours] as const];
  for (const [name, measure] of turn % 2 === 0 ? order : order.reverse()) {
    const rate = await measure();
    if (turn >= 0) rates[name].push(rate);
  }
}
redis.disconnect();

const share = pairedRatio(rates.ours, rates.bare);
const digits = (value: number): string => value.toFixed(3);
console.log(
  `${digits(share.value)} (${digits(share.low)} … ${digits(share.high)}) of a bare loop's rate, which was ` +
    `${Math.round(Math.max(...rates.bare))} GETs per second at best; ${DEFAULT_TURNS} turns of ${MS} ms, ` +
    `${CLIENTS} clients, ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)}`,
);
process.exitCode = judge(share, ">=", 0.95) === "falsified" ? 1 : 0;
