/**
 * `pnpm --filter @db-katas/crdt-ledger bench`: how many changes a second go through our server and through
 * two popular ones, and what clients cost who do nothing. Contenders take turns in short rounds, and what is
 * compared are rounds of the same turn. Exits with 1 when one of the bars isn't met.
 */
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { openEngines } from "@db-katas/engines";
import { ascending, quantileSorted, shuffle } from "d3-array";
import reference from "../src/index.ts";
import { ClientsProcess } from "./clients-process.ts";
import { type ContenderName, LEAST, NAMES, OURS } from "./contenders.ts";
import type { Sample } from "./load.ts";
import { range, save, spreadOf, table } from "./report.ts";

const { values: options } = parseArgs({
  options: {
    clients: { type: "string", multiple: true, default: ["2", "50", "500"] },
    rounds: { type: "string", default: "11" },
    "warm-up": { type: "string", default: "5" },
    changes: { type: "string", default: "10000" },
    "in-flight": { type: "string", default: "8" },
    idle: { type: "string", default: "500" },
  },
});
/** Those with whom it is judged: a team, not a couple nor a stadium. */
const JUDGED_CLIENTS = 50;
/** Of the others: with 500 clients a change takes y-websocket milliseconds. */
const MOST_CHANGES = 2_000;
const LEAST_SHARE = 2;
const JUDGED: readonly ContenderName[] = NAMES.filter((name) => name !== LEAST);
const PEERS: readonly string[] = JUDGED.filter((name) => name !== OURS);
const MOST_IDLE_MB = 150;

await using engines = await openEngines({ onProgress: console.error });
await using lease = await engines.lease("postgres");
await reference.migrate(lease.adminUrl);
const postgres = lease.adminUrl;
const loadBefore = loadavg()[0] ?? Number.NaN;

const relayed: Record<string, Summary[]> = {};
for (const clients of options.clients.map(Number)) {
  const summaries = await compare(clients);
  relayed[clients] = summaries;
  const rows = summaries.map(({ name, perSecond, share, p50Ms, p99Ms, cpuUs }) => [
    name,
    range(perSecond, 0),
    range(share, 2),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    range(cpuUs, 0),
  ]);
  console.log(`\n${clients} clients`);
  console.log(table(["", "changes/s", "ours × it", "p50 ms", "p99 ms", "CPU µs"], rows));
  for (const { name, least } of summaries) {
    if (PEERS.includes(name)) console.log(`${LEAST} is ${range(least, 2)} × ${name}`);
  }
}
const idle = await compareIdle(Number(options.idle));
console.log(`\n${options.idle} clients who do nothing`);
console.log(
  table(
    ["", "MB with 2", `MB with ${options.idle}`],
    idle.map(({ name, few, many }) => [name, megabytes(few), megabytes(many)]),
  ),
);
const environment = {
  date: new Date().toISOString(),
  cores: availableParallelism(),
  loadBefore,
  loadAfter: loadavg()[0],
  node: process.version,
  postgres: lease.engine.version,
};
const file = await save("relay", { ...environment, options, relayed, idle });
console.log(`\n${environment.cores} cores, load ${loadBefore.toFixed(1)}, in ${file}`);
judge();

interface Summary {
  readonly name: string;
  readonly perSecond: ReturnType<typeof spreadOf>;
  /** Our rate as a multiple of its rate in the same round. */
  readonly share: ReturnType<typeof spreadOf>;
  /** The same of {@link LEAST}: what storing first leaves. */
  readonly least: ReturnType<typeof spreadOf>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: ReturnType<typeof spreadOf>;
}

async function compare(clients: number): Promise<Summary[]> {
  await using opened = new AsyncDisposableStack();
  const contenders = new Map<ContenderName, ClientsProcess>();
  for (const name of NAMES) contenders.set(name, opened.use(await opens(name, clients)));
  const most = clients === JUDGED_CLIENTS ? Number.POSITIVE_INFINITY : MOST_CHANGES;
  const changes = Math.min(most, Number(options.changes));
  const load = {
    clients,
    changes: Math.max(1, Math.round(changes / clients)),
    inFlight: Number(options["in-flight"]),
  };
  const samples = new Map<ContenderName, Sample[]>(NAMES.map((name) => [name, []]));
  // The first rounds are for compilers: compiled code is what is compared.
  for (let round = -Number(options["warm-up"]); round < Number(options.rounds); round++) {
    for (const [name, contender] of shuffle([...contenders])) {
      const sample = await contender.run(load);
      if (round >= 0) samples.get(name)?.push(sample);
    }
  }
  return NAMES.map((name) => summarize(name, samples));
}

function opens(name: ContenderName, clients: number): Promise<ClientsProcess> {
  return ClientsProcess.start(name, { postgres, clients });
}

function summarize(
  name: ContenderName,
  samples: ReadonlyMap<ContenderName, readonly Sample[]>,
): Summary {
  const mine = samples.get(name) ?? [];
  const shareOf = (other: ContenderName) => {
    const theirs = samples.get(other) ?? [];
    return spreadOf(
      mine.map(({ perSecond }, round) => (theirs[round]?.perSecond ?? Number.NaN) / perSecond),
    );
  };
  const latencies = mine.flatMap((sample) => sample.latencies).sort(ascending);
  return {
    name,
    perSecond: spreadOf(mine.map(({ perSecond }) => perSecond)),
    share: shareOf(OURS),
    least: shareOf(LEAST),
    p50Ms: quantileSorted(latencies, 0.5) ?? Number.NaN,
    p99Ms: quantileSorted(latencies, 0.99) ?? Number.NaN,
    cpuUs: spreadOf(mine.map(({ cpuUs }) => cpuUs)),
  };
}

interface Idle {
  readonly name: string;
  /** Resident memory of the server, in bytes. */
  readonly few: number;
  readonly many: number;
}

async function compareIdle(clients: number): Promise<Idle[]> {
  const memory = async (name: ContenderName, number: number): Promise<number> => {
    await using contender = await opens(name, number);
    return await contender.memory();
  };
  const found: Idle[] = [];
  for (const name of JUDGED) {
    found.push({ name, few: await memory(name, 2), many: await memory(name, clients) });
  }
  return found;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function judge(): void {
  const judged = relayed[JUDGED_CLIENTS] ?? [];
  const p99 = (name: string) => judged.find((one) => one.name === name)?.p99Ms ?? Number.NaN;
  const others = judged.filter(({ name }) => PEERS.includes(name));
  const ours = idle.find(({ name }) => name === OURS);
  const more = ours ? (ours.many - ours.few) / 1e6 : Number.NaN;
  const bars: [string, boolean][] = others.flatMap(({ name, share, p99Ms }) => [
    [`${JUDGED_CLIENTS} clients: ours ≥ ${LEAST_SHARE} × ${name}`, share.median >= LEAST_SHARE],
    [`${JUDGED_CLIENTS} clients: p99 of ours ≤ p99 of ${name}`, p99(OURS) <= p99Ms],
  ]);
  bars.push([`${options.idle} idle clients ≤ ${MOST_IDLE_MB} MB more`, more <= MOST_IDLE_MB]);
  for (const [bar, holds] of bars) {
    console.log(`${bar}: ${holds ? "holds" : "does not hold"}`);
    if (!holds) process.exitCode = 1;
  }
}
