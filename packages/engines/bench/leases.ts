/** What leases cost on this machine. Run: `pnpm bench` in this package. */
import pg from "pg";
import { type EngineRequest, type LeaseTemplate, openEngines } from "../src/index.ts";

const tables = 12;
const template: LeaseTemplate = {
  key: "bench",
  async build(url) {
    const client = new pg.Client(url);
    await client.connect();
    for (let table = 0; table < tables; table += 1) {
      await client.query(`CREATE TABLE t${table} (id int PRIMARY KEY, body text)`);
    }
    await client.end();
  },
};

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const start = performance.now();
  const result = await work();
  return { ms: performance.now() - start, result };
}

function report(what: string, times: number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  console.log(
    `${what.padEnd(44)} n ${String(times.length).padStart(3)}   p50 ${at(0.5).padStart(7)} ms   p90 ${at(0.9).padStart(7)} ms`,
  );
}

const opening = await timed(() => openEngines({ onProgress: console.log }));
await using run = opening.result;
report("open a run", [opening.ms]);
for (const engine of ["postgres", "redis", "sqlite"]) {
  const probes: number[] = [];
  for (let i = 0; i < 5; i += 1) probes.push((await timed(() => run.probe(engine))).ms);
  report(`probe ${engine}`, probes);
}

async function measure(
  what: string,
  engine: string,
  count: number,
  request: EngineRequest,
  pauseMs = 0,
): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    // The pool, or the spare, is given time to fill: this is the one place where waiting is the point.
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const { ms, result } = await timed(async () => {
      const lease = await run.lease(engine, request);
      await lease.urlFor("a");
      return lease;
    });
    times.push(ms);
    await result[Symbol.asyncDispose]();
  }
  report(what, times);
}

await measure("postgres, first lease (start, build, clone)", "postgres", 1, { template });
await measure("postgres, from the pool", "postgres", 30, { template }, 150);
await measure("postgres, one after another", "postgres", 60, { template });
const burst: number[] = [];
const leases = await Promise.all(
  Array.from({ length: 20 }, async () => {
    const { ms, result } = await timed(() => run.lease("postgres", { template }));
    burst.push(ms);
    return result;
  }),
);
report("postgres, 20 at once", burst);
await Promise.all(leases.map((lease) => lease[Symbol.asyncDispose]()));
await measure("postgres, first instance (start, build, copy)", "postgres", 1, {
  template,
  isolation: "instance",
});
await measure("postgres, further instances", "postgres", 8, { template, isolation: "instance" });
await measure("postgres, instance without template", "postgres", 8, { isolation: "instance" });
await measure("redis, first lease", "redis", 1, {});
await measure("redis, further leases", "redis", 50, {});
await measure("redis, instances one after another", "redis", 10, { isolation: "instance" });
await measure("redis, instance with a spare", "redis", 10, { isolation: "instance" }, 150);
await measure("sqlite", "sqlite", 50, {});
