/** Random schedules on replicas in this process: what the check `converges` does, without processes or waiting. */
import { setImmediate as turn } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { randomFrom, SubmissionError, seedFor } from "@db-katas/grading";
import type { Replica, Submission } from "../contract.ts";
import { type Failure, type Person, run } from "../grading/simulation/run.ts";
import { drawSchedule, type Event } from "../grading/simulation/schedule.ts";
import { shrink } from "../grading/simulation/shrink.ts";

const NAMES = ["ada", "bob", "cleo", "dan", "eve"];
/** How often parts of what failed are run, at most: each takes about as long as one schedule. */
const TRIES = 300;

export interface Diverged {
  readonly seed: number;
  readonly failure: Failure;
  /** Events of the smallest part that fails in the same way. */
  readonly events: number;
}

/** @param index the `index.ts` of a submission @throws where it has no default export */
export async function loadSubmission(index: string): Promise<Submission> {
  const { default: submission } = (await import(pathToFileURL(index).href)) as {
    readonly default?: Submission;
  };
  if (!submission) throw new Error(`${index} exports no submission by default.`);
  return submission;
}

/** @returns how it failed, made smaller; null where all see the same in the end */
export async function schedule(
  submission: Submission,
  seed: number,
  events: number,
): Promise<Diverged | null> {
  // The first numbers that neighbouring seeds draw are nearly the same.
  const mixed = seedFor(seed, "schedule");
  const random = randomFrom(mixed);
  const people = NAMES.length;
  const drawn = drawSchedule(random, { people, events });
  const once = (part: readonly Event[]) => runOnNew(submission, part, mixed);
  const failure = await once(drawn);
  if (!failure) return null;
  const fails = async (part: readonly Event[]) => (await once(part))?.what === failure.what;
  const least = await shrink(drawn, fails, TRIES);
  return { seed, failure: (await once(least)) ?? failure, events: least.length };
}

/** On replicas that have nothing yet, so that ten thousand schedules take no more memory than one. */
async function runOnNew(
  submission: Submission,
  part: readonly Event[],
  seed: number,
): Promise<Failure | undefined> {
  const people = await Promise.all(NAMES.map((name) => personOf(submission, name)));
  try {
    return await run(people, `soak-${seed}`, part, seed);
  } finally {
    await Promise.all(people.map(({ replica }) => replica.close()));
    // What lives outside of JavaScript's memory is given back between turns of the event loop, and replicas in
    // this process never wait for one.
    await turn();
  }
}

async function personOf(submission: Submission, name: string): Promise<Person> {
  const config = { role: "replica", name, actor: name, treasurer: "treasury" } as const;
  const node = (await submission.createNode(config)) as Replica;
  return { name, replica: told(name, node) };
}

/** Has errors come as those of a node in a process of its own do, which is what the simulation looks for. */
function told(name: string, replica: Replica): Replica {
  return new Proxy(replica, {
    get(target, operation, receiver) {
      const member = Reflect.get(target, operation, receiver);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        try {
          return await member.apply(target, given);
        } catch (error) {
          const cause = error instanceof Error ? error : new Error(String(error));
          throw new SubmissionError(name, String(operation), cause);
        }
      };
    },
  });
}
