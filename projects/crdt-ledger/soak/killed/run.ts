/** One run: four people work on one document while servers and PostgreSQL are killed under them. */
import { randomFrom } from "@db-katas/grading";
import type { Actor, Replica } from "../../contract.ts";
import type { Cluster } from "./cluster.ts";
import { ACTORS, TREASURER } from "./doings.ts";
import { Fate } from "./fate.ts";
import { judgeLog, judgeViews } from "./judge.ts";
import { Person, type Surroundings } from "./person.ts";
import type { Kind, Plan } from "./plan.ts";
import type { ServerProcess } from "./server-process.ts";

/** How long people may take on a busy machine, and what is looked at afterwards, in milliseconds. */
const PATIENCE_MS = 30_000;

export interface RunResult {
  readonly seed: number;
  /** What was lost, or went wrong otherwise; empty where nothing did. */
  readonly failures: readonly string[];
  /** What died, and when. */
  readonly story: readonly string[];
  readonly kills: readonly Kind[];
  readonly compactions: number;
  readonly acknowledged: number;
  /** From each death until all was acknowledged that had been made by then, in milliseconds. */
  readonly recoveriesMs: readonly number[];
}

/** @throws where PostgreSQL can't be started again */
export async function run(cluster: Cluster, plan: Plan): Promise<RunResult> {
  const { seed, changes, random } = plan;
  const document = `killed-${seed}`;
  const people: Person[] = [];
  const fate = new Fate(cluster, document, { plan, people });
  const personOf = async (
    actor: Actor,
    signal: AbortSignal,
    servers: readonly ServerProcess[] = cluster.servers,
  ) => {
    const config = { role: "replica", name: actor, actor, treasurer: TREASURER } as const;
    const replica = (await cluster.submission.createNode(config)) as Replica;
    const around: Surroundings = {
      document,
      secret: cluster.secret,
      servers,
      random: randomFrom(random.int(0, 2 ** 31 - 1)),
      signal,
      acknowledged: () => fate.count(),
    };
    return new Person(actor, replica, around);
  };
  const failures: string[] = [];
  const stop = new AbortController();
  // Where one can't go on, others may wait for what that one would have done.
  const all = (work: readonly Promise<void>[]) =>
    Promise.all(work).catch((error: unknown) => {
      failures.push(error instanceof Error ? error.message : String(error));
      stop.abort();
    });
  const working = AbortSignal.any([AbortSignal.timeout(PATIENCE_MS), stop.signal]);
  for (const actor of ACTORS) people.push(await personOf(actor, working));
  const newcomers: Person[] = [];
  try {
    await all(people.map((person) => person.work(changes)));
    await fate.settled();
    // After the last compaction there is a row, which says how many there were.
    const [treasurer] = people as [Person];
    if (failures.length === 0) await all([treasurer.work(changes + 1)]);
    const looking = AbortSignal.timeout(PATIENCE_MS);
    for (const server of cluster.servers) {
      newcomers.push(await personOf(`new-on-${server.name}`, looking, [server]));
    }
    await all(newcomers.map((newcomer) => newcomer.hear({})));
    const [newcomer] = newcomers as [Person];
    failures.push(...(await judgeLog(cluster, document, { people, newcomer })));
    if (failures.length === 0) {
      const everybody = [...people, ...newcomers];
      const acked = Object.fromEntries(people.map((person) => [person.actor, person.acked]));
      await all(everybody.map((person) => person.hear(acked)));
      if (failures.length === 0) failures.push(...(await judgeViews(everybody, treasurer.issued)));
    }
    for (const server of cluster.servers) failures.push(...server.crashes());
    const { story, kills, compactions, acknowledged, recoveriesMs } = fate;
    return { seed, failures, story, kills, compactions, acknowledged, recoveriesMs };
  } finally {
    for (const person of [...people, ...newcomers]) person.leave();
    await Promise.all([...people, ...newcomers].map(({ replica }) => replica.close()));
  }
}
