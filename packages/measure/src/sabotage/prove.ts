import { dirname } from "node:path";
import type { EngineRun, Lease } from "@db-katas/engines";
import { delay } from "@db-katas/engines/faults/delay";
import { shuffle } from "d3-array";
import { checkClaim, sizesOf } from "../claim/check.ts";
import type { MeasuredClaim } from "../claim/claim.ts";
import { evaluate } from "../claim/evaluate.ts";
import { type Finding, outcomeOf } from "../claim/finding.ts";
import { claimInvalid } from "../errors.ts";
import { captureEnvironment, loadNow } from "../experiment/environment.ts";
import type { TurnRecord } from "../experiment/journal.ts";
import { type Experiment, parseDefinition } from "../experiment/load-experiment.ts";
import { Results } from "../experiment/results.ts";
import { ExperimentProcess } from "./experiment-process.ts";

export interface ProveOptions {
  readonly engines: EngineRun;
  /** What an engine's distance grows by, in each direction, in milliseconds. */
  readonly delayMs: number;
  /** Where the claim stands, for messages. */
  readonly log: string;
  /** Of what is random in the experiment; the order of delays is drawn anew each time. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told after each turn. */
  readonly onTurn?: (done: number, of: number) => void;
}

/** What became of a claim that somebody else made, and of the attempt to make it fail. */
export interface Proof {
  readonly id: string;
  /** Without a delay. */
  readonly finding: Finding;
  /** With one engine further away, by its role. */
  readonly sabotaged: Readonly<Record<string, Finding>>;
  /** It came out as the log says, and contrary to that with one of the engines further away. */
  readonly proven: boolean;
}

/** Turns under each condition. */
const TURNS = 8;
const WARM_UP_TURNS = 1;
/** The node that the proxies know an experiment by. */
const NODE = "experiment";

/**
 * Puts a claim to the test with an experiment that isn't ours, and the experiment, too: what an engine
 * takes must show in it. Turns without a delay and turns in which one of the engines is further away
 * follow each other in an order that only this process knows, so that whoever makes figures up would
 * have to measure the engines in order to.
 * @param file of the experiment
 * @throws MeasureError `EXPERIMENT_UNUSABLE`, `EXPERIMENT_INVALID`, `CLAIM_INVALID`
 * @throws EngineError when an engine can't be had
 */
export async function proveClaim(
  claim: MeasuredClaim,
  file: string,
  options: ProveOptions,
): Promise<Proof> {
  const { signal, seed } = options;
  const { id, experiment: name } = claim.fields;
  await using opened = new AsyncDisposableStack();
  const process = opened.use(new ExperimentProcess(name, dirname(file)));
  const { description, sha256 } = await process.ask({ kind: "describe", file }, signal);
  const definition = parseDefinition(file, { ...description, open: neverHere });
  const experiment: Experiment = { name, file, sha256, definition };
  const problems = [...checkClaim(claim, experiment)];
  if (sizesOf(claim)) {
    problems.push({ ...claim.place, column: 1, message: "a graded claim has no list of sizes" });
  }
  if (problems.length > 0) throw claimInvalid(options.log, problems);

  const leases: Record<string, Lease> = {};
  for (const [role, { engine, ...request }] of Object.entries(definition.engines)) {
    const needs = [...(request.needs ?? []), "delay" as const];
    leases[role] = opened.use(await options.engines.lease(engine, { ...request, needs }));
  }
  const urls: Record<string, string> = {};
  for (const [role, lease] of Object.entries(leases)) urls[role] = await lease.urlFor(NODE);
  const parameters = Object.fromEntries(
    Object.entries(definition.parameters).map(([each, { quick }]) => [each, quick]),
  );
  await process.ask({ kind: "open", urls, parameters, seed }, signal);

  const conditions = [undefined, ...Object.keys(leases)];
  const turns = new Map<string | undefined, TurnRecord[]>(conditions.map((each) => [each, []]));
  const of = (TURNS + WARM_UP_TURNS) * conditions.length;
  let done = 0;
  for (let block = -WARM_UP_TURNS; block < TURNS; block++) {
    for (const role of shuffle([...conditions])) {
      const number = block < 0 ? block : done;
      const turn = await measureAll(process, experiment, number, role && leases[role], options);
      if (block >= 0) turns.get(role)?.push({ ...turn, number: block });
      options.onTurn?.(++done, of);
    }
  }
  const environment = await captureEnvironment(
    Object.fromEntries(Object.entries(leases).map(([role, { engine }]) => [role, engine])),
  );
  const findingOf = (role: string | undefined) =>
    evaluate(claim, [new Results(experiment, parameters, environment, turns.get(role) ?? [])]);
  const finding = findingOf(undefined);
  const sabotaged = Object.fromEntries(
    Object.keys(leases).map((role) => [role, findingOf(role)] as const),
  );
  const isContrary = (each: Finding) => outcomeOf(claim.fields, each) === "contrary";
  const proven =
    outcomeOf(claim.fields, finding) === "as expected" && Object.values(sabotaged).some(isContrary);
  return { id, finding, sabotaged, proven };
}

/** Each contender once, with an engine further away or none. */
async function measureAll(
  process: ExperimentProcess,
  { definition }: Experiment,
  number: number,
  sabotaged: Lease | "" | undefined,
  { delayMs, signal }: ProveOptions,
): Promise<TurnRecord> {
  await using _delay = sabotaged ? await sabotaged.inject(delay, { ms: delayMs }) : undefined;
  const order = Object.keys(definition.contenders);
  const contenders: TurnRecord["contenders"] = {};
  for (const contender of order) {
    const { found } = await process.ask({ kind: "measure", contender, number }, signal);
    contenders[contender] = found;
  }
  const endedAt = new Date().toISOString();
  return { kind: "turn", session: "", number, order, endedAt, load: loadNow(), contenders };
}

function neverHere(): never {
  throw new Error("An experiment that isn't ours is opened in its own process.");
}
