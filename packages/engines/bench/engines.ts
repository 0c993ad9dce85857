/**
 * What each engine costs on this machine, for docs/engines.md. Best on a machine that does nothing else.
 * Run: `pnpm bench:engines` in this package, or with names of engines; then `pnpm table`. Without names,
 * what would have to be fetched is left out.
 */
import type { Kit } from "../src/conformance/index.ts";
import { openEngines } from "../src/index.ts";
import { loadDefinitions, loadKit } from "../src/registry.ts";
import { describeMachine, impersonal } from "./machine.ts";
import { keepMeasurements, type Measurement } from "./measurements.ts";

const runs = 3;
const leasesPerRun = 30;

interface Sample {
  readonly startMs: number;
  readonly firstAnswerMs: number;
  readonly leasesMs: readonly number[];
  readonly about: Pick<Measurement, "provider" | "source" | "version" | "memoryBytes">;
}

/** In a run of its own, so that a server is really started. */
async function sample(engine: string): Promise<Sample> {
  const kit = await loadKit(engine);
  await using run = await openEngines({ onProgress: console.log });
  const start = performance.now();
  await using first = await run.lease(engine);
  const startMs = performance.now() - start;
  await use(kit, await first.urlFor("a"));
  const firstAnswerMs = performance.now() - start;
  const leasesMs: number[] = [];
  const template = { key: "bench", build: kit.prepare };
  await (await run.lease(engine, { template }))[Symbol.asyncDispose]();
  for (let count = 0; count < leasesPerRun; count += 1) {
    const asked = performance.now();
    await using lease = await run.lease(engine, { template });
    const url = await lease.urlFor("a");
    leasesMs.push(performance.now() - asked);
    await use(kit, url);
  }
  const { provider, source, version } = first.engine;
  const memoryBytes = await first.engine.memory();
  const about = { provider, source: impersonal(source), version };
  return {
    startMs,
    firstAnswerMs,
    leasesMs,
    about: { ...about, ...(memoryBytes === undefined ? {} : { memoryBytes }) },
  };
}

/** The least that anybody does with a lease. */
async function use(kit: Kit, url: string): Promise<void> {
  const session = await kit.connect(url);
  await session.set("key", "value");
  await session.get("key");
  await session.close();
}

async function measure(engine: string, machine: Measurement["machine"]): Promise<Measurement> {
  await sample(engine); // prepares
  const samples: Sample[] = [];
  for (let count = 0; count < runs; count += 1) samples.push(await sample(engine));
  const [{ about }] = samples as [Sample];
  return {
    engine,
    date: new Date().toISOString().slice(0, 10),
    machine,
    ...about,
    startMs: median(samples.map(({ startMs }) => startMs)),
    firstAnswerMs: median(samples.map(({ firstAnswerMs }) => firstAnswerMs)),
    leaseMs: median(samples.flatMap(({ leasesMs }) => leasesMs)),
    leaseP95Ms: percentile(
      samples.flatMap(({ leasesMs }) => leasesMs),
      0.95,
    ),
  };
}

function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length * share)] ?? 0).toPrecision(3));
}

async function measurable(): Promise<string[]> {
  await using run = await openEngines();
  const names = [...(await loadDefinitions()).keys()];
  const probes = await Promise.all(names.map((name) => run.probe(name)));
  return probes.flatMap(({ engine, chosen }) => (chosen && !chosen.fetch ? [engine] : []));
}

const named = process.argv.slice(2);
const machine = await describeMachine();
for (const engine of named.length > 0 ? named : await measurable()) {
  const measured = await measure(engine, machine);
  const { startMs, firstAnswerMs, leaseMs, leaseP95Ms, memoryBytes } = measured;
  console.log(JSON.stringify({ engine, startMs, firstAnswerMs, leaseMs, leaseP95Ms, memoryBytes }));
  await keepMeasurements([measured]);
}
