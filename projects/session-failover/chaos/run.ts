/** One chaos run: a cluster, a load, the events of a schedule, a last look at everything, a verdict. */
import { setTimeout as wait } from "node:timers/promises";
import { delay } from "@db-katas/engines/faults/delay";
import { STALENESS_MS } from "./bounds.ts";
import { type Call, Recorder } from "./calls.ts";
import { type Cluster, openCluster, type Target } from "./cluster.ts";
import { type Happening, makeHappen } from "./driver.ts";
import { ChaosError } from "./errors.ts";
import { type Anomaly, judge } from "./judge.ts";
import { Load } from "./load.ts";
import { describeEvent, type Schedule } from "./schedule.ts";
import { sampleTraffic, type TrafficSample } from "./traffic.ts";

export interface ChaosRun {
  readonly schedule: Schedule;
  readonly submission: string;
  readonly calls: readonly Call[];
  readonly happenings: readonly Happening[];
  readonly traffic: readonly TrafficSample[];
  readonly anomalies: readonly Anomaly[];
  /** From the first call to the last answer, in milliseconds. */
  readonly durationMs: number;
}

const READERS = 4;
/** So often is a run repeated in which a fault met no write. */
const ATTEMPTS = 3;

/** @throws ChaosError `NO_OVERLAP` when no write could be made to overlap an event */
export async function runSchedule(target: Target, schedule: Schedule): Promise<ChaosRun> {
  for (let left = ATTEMPTS; ; left--) {
    const run = await runOnce(target, schedule);
    const alone = run.happenings.find(({ overlapped }) => overlapped.length === 0);
    // What went wrong is worth telling even so.
    if (!alone || run.anomalies.length > 0) return run;
    if (left > 1) continue;
    throw new ChaosError("NO_OVERLAP", `No write was under way: ${describeEvent(alone.event)}.`, {
      likelyCause: "the submission answers writes before it has asked a store",
      remedy: "try again on a machine that is less busy, or another --seed",
    });
  }
}

async function runOnce(target: Target, schedule: Schedule): Promise<ChaosRun> {
  await using cluster = await openCluster(target, schedule.nodes);
  await using _distance = await spread(cluster, schedule);
  const recorder = new Recorder();
  const load = new Load(schedule, cluster.nodes, recorder);
  const sampler = sampleTraffic(cluster, schedule.nodes, recorder);
  const clients = load.run();
  let happenings: Happening[];
  try {
    happenings = await makeHappen({ schedule, ...cluster, recorder, load });
    await wait(schedule.load.settleMs);
  } finally {
    load.stop();
    await clients;
  }
  // From here on every write must be seen everywhere.
  await wait(STALENESS_MS);
  await lookAtEverything(load, schedule.nodes);
  const traffic = sampler.stop();
  const { calls } = recorder;
  return {
    schedule,
    submission: target.submission.label,
    calls,
    happenings,
    traffic,
    anomalies: judge({ calls, happenings }),
    durationMs: recorder.now(),
  };
}

/** The distance between nodes and stores. */
async function spread({ redis, postgres }: Cluster, { network }: Schedule) {
  const near: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };
  const add = (lease: Cluster["redis"], ms: number) =>
    ms === 0 ? near : lease.inject(delay, { ms });
  const both = await Promise.all([add(redis, network.redisMs), add(postgres, network.postgresMs)]);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const each of both) await each[Symbol.asyncDispose]();
    },
  };
}

/** Every id that there ever was, and every user's list, on every node. */
async function lookAtEverything(load: Load, nodes: readonly string[]): Promise<void> {
  const users = new Set(load.ids.map(({ userId }) => userId));
  const jobs = nodes.flatMap((node) => [
    ...load.ids.map(({ id, userId }) => (client: string) => {
      const who = { client, node, op: "get", id, userId, final: true } as const;
      return load.call(who, (api) => api.get(id));
    }),
    ...[...users].map((userId) => (client: string) => {
      const who = { client, node, op: "list", userId, final: true } as const;
      return load.call(who, (api) => api.list(userId));
    }),
  ]);
  const reader = async (client: string) => {
    for (let job = jobs.shift(); job; job = jobs.shift()) await job(client);
  };
  await Promise.all(Array.from({ length: READERS }, (_, number) => reader(`r${number + 1}`)));
}
