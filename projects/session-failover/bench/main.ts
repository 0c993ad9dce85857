/**
 * `pnpm --filter @db-katas/session-failover bench`: how many reads and writes of sessions our node does,
 * next to bare commands and to popular stores, on the same servers, in the same process. Contenders
 * take turns in short rounds, and what is compared are rounds of the same turn: a busy moment of the
 * machine hits neighbours alike. Exits with 1 when a claim of the decision log does not hold.
 */
import { parseArgs } from "node:util";
import { openEngines } from "@db-katas/engines";
import { ascending, quantileSorted, shuffle } from "d3-array";
import { CONNECT_REDIS, type Contender, contenders, NODE, RAW, STORE } from "./contenders.ts";
import { run, type Sample } from "./load.ts";
import { circumstances, type Spread, save, spreadOf, table } from "./report.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    ms: { type: "string", default: "300" },
    clients: { type: "string", multiple: true, default: ["1", "32"] },
    sessions: { type: "string", default: "1024" },
    operation: { type: "string", multiple: true, default: ["read", "write"] },
    only: { type: "string", multiple: true },
  },
});
const [rounds, ms, sessions] = [options.rounds, options.ms, options.sessions].map(Number) as [
  number,
  number,
  number,
];
/** Reads at this share of the rate of a GET whose value is parsed, or more. */
const CLAIMED_SHARE = 0.9;

type Operation = "read" | "write";
interface Result {
  readonly name: string;
  readonly perSecond: Spread;
  /** Processor time of this process for one call, in microseconds. */
  readonly cpuUs: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Its rate as a share of another contender's in the same turn. */
  readonly shareOf: Readonly<Record<string, Spread>>;
}

await using engines = await openEngines({ onProgress: console.log });
await using postgres = await engines.lease("postgres");
await using redis = await engines.lease("redis", { isolation: "instance" });
const stores = { postgres: postgres.adminUrl, redis: redis.adminUrl };
await using opened = new AsyncDisposableStack();
const all: Contender[] = [];
for (const open of Object.values(contenders)) {
  const contender = opened.use(await open(stores, sessions));
  if (!options.only || options.only.includes(contender.name)) all.push(contender);
}

const report: Record<string, Result[]> = {};
for (const operation of options.operation as Operation[]) {
  for (const clients of options.clients.map(Number)) {
    const results = await compare(operation, clients);
    report[`${operation}, ${clients} clients`] = results;
    show(`${operation}s, ${clients} at a time`, results);
  }
}
const { cores, date } = circumstances([postgres, redis]);
const file = await save("throughput", {
  ...circumstances([postgres, redis]),
  rounds,
  ms,
  sessions,
  results: report,
});
console.log(`\n${cores} cores, ${date}, ${rounds} rounds of ${ms} ms each, in ${file}`);
judge();

async function compare(operation: Operation, clients: number): Promise<Result[]> {
  const load = { clients, ms, sessions };
  const work = (contender: Contender): Promise<Sample> =>
    run((n) => contender[operation](n), load, operation === "write");
  // Compiled code is what is compared.
  for (const contender of [...all, ...all, ...all]) await work(contender);
  const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // In another order each time: nobody always runs after the same neighbour's garbage.
    for (const contender of shuffle([...all])) {
      samples.get(contender.name)?.push(await work(contender));
    }
  }
  return all.map(({ name }) => summarize(name, samples));
}

function summarize(name: string, samples: ReadonlyMap<string, readonly Sample[]>): Result {
  const mine = samples.get(name) ?? [];
  const latencies = mine.flatMap((sample) => [...sample.latencies]).sort(ascending);
  const share = (other: string): Spread =>
    spreadOf(
      mine.map(
        ({ perSecond }, round) =>
          perSecond / (samples.get(other)?.[round]?.perSecond ?? Number.NaN),
      ),
    );
  return {
    name,
    perSecond: spreadOf(mine.map(({ perSecond }) => perSecond)),
    cpuUs: spreadOf(mine.map(({ cpuUs }) => cpuUs)),
    p50Ms: quantileSorted(latencies, 0.5) ?? Number.NaN,
    p99Ms: quantileSorted(latencies, 0.99) ?? Number.NaN,
    shareOf: { [RAW]: share(RAW), [CONNECT_REDIS]: share(CONNECT_REDIS) },
  };
}

function show(title: string, results: readonly Result[]): void {
  const range = (spread: Spread | undefined, digits: number): string =>
    spread
      ? `${spread.median.toFixed(digits)} (${spread.min.toFixed(digits)} … ${spread.max.toFixed(digits)})`
      : "";
  const rows = results.map(({ name, perSecond, cpuUs, p50Ms, p99Ms, shareOf }) => [
    name,
    range(perSecond, 0),
    range(shareOf[RAW], 2),
    range(shareOf[CONNECT_REDIS], 2),
    range(cpuUs, 1),
    p50Ms.toFixed(3),
    p99Ms.toFixed(3),
  ]);
  console.log(`\n${title}`);
  console.log(
    table(["", "per second", "× ioredis", "× connect-redis", "CPU µs", "p50 ms", "p99 ms"], rows),
  );
}

/** By the median over the rounds; of reads that compete, as a read that is alone waits for the wire. */
function judge(): void {
  for (const clients of options.clients.filter((count) => Number(count) > 1)) {
    const results = report[`read, ${clients} clients`] ?? [];
    const shareOf = (name: string, other: string): number =>
      results.find((result) => result.name === name)?.shareOf[other]?.median ?? Number.NaN;
    for (const [what, holds] of [
      [`${NODE} ≥ ${CLAIMED_SHARE} × ${RAW}`, shareOf(NODE, RAW) >= CLAIMED_SHARE],
      [`${NODE} ≥ ${CONNECT_REDIS}`, shareOf(NODE, CONNECT_REDIS) >= 1],
      [`${STORE} ≥ ${CONNECT_REDIS}`, shareOf(STORE, CONNECT_REDIS) >= 1],
    ] as const) {
      console.log(`reads, ${clients} at a time: ${what}: ${holds ? "holds" : "does not hold"}`);
      if (!holds) process.exitCode = 1;
    }
  }
}
