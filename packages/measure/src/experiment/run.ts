import { createHash, randomUUID } from "node:crypto";
import type { EngineRun, Lease } from "@db-katas/engines";
import { mean } from "d3-array";
import { experimentCrashed, parameterUnknown } from "../errors.ts";
import { DEFAULT_TURNS } from "../stats/pairs.ts";
import { randomFrom } from "../stats/random.ts";
import type { Bench, ExperimentDefinition } from "./definition.ts";
import { captureEnvironment, type Environment, loadNow } from "./environment.ts";
import type { Journal, TurnRecord } from "./journal.ts";
import type { Experiment } from "./load-experiment.ts";
import { Recorder } from "./recorder.ts";
import { Results } from "./results.ts";

export interface RunOptions {
  readonly engines: EngineRun;
  /** Where earlier results are, and new ones go. */
  readonly journal: Journal;
  /** Whose values parameters have that {@link parameters} doesn't set. Default `full`. */
  readonly size?: "full" | "quick";
  readonly parameters?: { readonly [name: string]: number };
  /** Overrides the experiment's. */
  readonly turns?: number;
  /** Default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Asked before each turn but the first: no more are run when it says so, and those that are there count. */
  readonly isEnough?: (done: number) => boolean;
  /** Told after each turn. */
  readonly onTurn?: (done: number, of: number) => void;
}

const WARM_UP_TURNS = 2;
/** How long an experiment may take to close what it has opened, in milliseconds. */
const CLOSING_MS = 20_000;

/**
 * Runs what is missing of an experiment: turns that the journal has, of the same experiment with the
 * same parameters on the same machine and engines, are not repeated.
 * @throws MeasureError `EXPERIMENT_CRASHED`, `PARAMETER_UNKNOWN`
 * @throws EngineError when an engine can't be had
 * @throws the signal's reason
 */
export async function runExperiment(experiment: Experiment, options: RunOptions): Promise<Results> {
  const { definition } = experiment;
  const { journal, seed = 1, signal = new AbortController().signal } = options;
  const parameters = resolveParameters(experiment, options);
  signal.throwIfAborted();
  await using opened = new AsyncDisposableStack();
  const leases: Record<string, Lease> = {};
  for (const [role, { engine, ...request }] of Object.entries(definition.engines)) {
    leases[role] = opened.use(await options.engines.lease(engine, request));
  }
  const environment = await captureEnvironment(
    Object.fromEntries(Object.entries(leases).map(([role, { engine }]) => [role, engine])),
  );
  const fingerprint = fingerprintOf(experiment, parameters, environment);
  const count = options.turns ?? definition.turns ?? DEFAULT_TURNS;
  const done = new Set(journal.turns(fingerprint).map(({ number }) => number));
  const missing = [...Array(count).keys()].filter((number) => !done.has(number));
  if (missing.length > 0) {
    const session = randomUUID();
    let during = "its opening";
    let bench: Bench | undefined;
    try {
      const stage = { leases, parameters, random: randomFrom(seed), signal };
      const open = await definition.open(stage);
      bench = open;
      const perform = (number: number) => {
        during = number < 0 ? "a warm-up" : `turn ${number}`;
        return performTurn(definition, open, leases, number, signal);
      };
      for (let turn = -(definition.warmUpTurns ?? WARM_UP_TURNS); turn < 0; turn++) {
        await perform(turn);
      }
      await journal.append({
        kind: "session",
        version: 1,
        id: session,
        experiment: experiment.name,
        fingerprint,
        parameters,
        seed,
        startedAt: new Date().toISOString(),
        environment,
      });
      for (const number of missing) {
        if (done.size > 0 && options.isEnough?.(done.size)) break;
        const found = await perform(number);
        await journal.append({ kind: "turn", session, number, ...found });
        done.add(number);
        options.onTurn?.(done.size, count);
      }
      during = "its end";
      await close(open);
    } catch (error) {
      // Whatever that comes to as well: this is what went wrong first.
      if (bench && during !== "its end") await close(bench).catch(() => {});
      if (signal.aborted) throw signal.reason;
      const kept = { turns: done.size, file: journal.file };
      throw experimentCrashed(experiment.name, during, kept, error);
    }
  }
  const turns = journal.turns(fingerprint).filter(({ number }) => number < count);
  // Turns of an earlier run were measured under its load, not under today's.
  const load = Number((mean(turns, (turn) => turn.load) ?? environment.load).toFixed(2));
  return new Results(experiment, parameters, { ...environment, load }, turns);
}

/** @throws where it can't be closed, or takes so long that it will hardly ever be: nobody is to wait for that */
async function close(bench: Bench): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const patience = setTimeout(() => {
    const seconds = CLOSING_MS / 1_000;
    reject(new Error(`it isn't closed after ${seconds} s; is a client still out of its pool?`));
  }, CLOSING_MS);
  await Promise.race([bench[Symbol.asyncDispose](), late]).finally(() => clearTimeout(patience));
}

/** Every contender once: in their order, and in the opposite order in each second turn (ABBA). */
async function performTurn(
  definition: ExperimentDefinition,
  bench: Bench,
  leases: Readonly<Record<string, Lease>>,
  number: number,
  signal: AbortSignal,
): Promise<Pick<TurnRecord, "order" | "contenders" | "endedAt" | "load">> {
  const names = Object.keys(definition.contenders);
  const order = number % 2 === 0 ? names : names.toReversed();
  const contenders: TurnRecord["contenders"] = {};
  for (const name of order) {
    signal.throwIfAborted();
    const recorder = new Recorder(definition, number, signal);
    await bench.measure(name, recorder);
    const memory = await memoryOf(definition.contenders[name]?.memoryOf ?? [], leases);
    contenders[name] = { ...recorder.found, ...(memory === undefined ? {} : { memory }) };
  }
  return { order, contenders, endedAt: new Date().toISOString(), load: loadNow() };
}

/** In bytes; undefined where a server doesn't tell. */
async function memoryOf(
  roles: readonly string[],
  leases: Readonly<Record<string, Lease>>,
): Promise<number | undefined> {
  let sum: number | undefined;
  for (const role of roles) {
    const bytes = await leases[role]?.engine.memory();
    if (bytes === undefined) return undefined;
    sum = (sum ?? 0) + bytes;
  }
  return sum;
}

function resolveParameters(
  { name, definition }: Experiment,
  { size = "full", parameters = {} }: RunOptions,
): Record<string, number> {
  const known = Object.keys(definition.parameters);
  const unknown = Object.keys(parameters).find((each) => !known.includes(each));
  if (unknown !== undefined) throw parameterUnknown(name, unknown, known);
  const defaults = Object.entries(definition.parameters).map(([each, values]) => [
    each,
    values[size],
  ]);
  return { ...Object.fromEntries(defaults), ...parameters };
}

/** Whatever figures depend on; not how busy the machine is, nor how many turns there are. */
function fingerprintOf(
  { sha256, definition }: Experiment,
  parameters: Readonly<Record<string, number>>,
  { kernel, cpu, cores, memoryBytes, node, engines }: Environment,
): string {
  const sorted = Object.entries(parameters).sort(([one], [other]) => (one < other ? -1 : 1));
  const what = [sha256, definition.load, sorted, kernel, cpu, cores, memoryBytes, node, engines];
  return createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16);
}
