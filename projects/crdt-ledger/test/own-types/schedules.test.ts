/** The grader's schedules, in one process: of the reference and of the replica that has its own types. */
import { randomFrom } from "@db-katas/grading";
import { expect, test } from "vitest";
import type { Actor, Replica } from "../../contract.ts";
import { run } from "../../grading/simulation/run.ts";
import { drawSchedule } from "../../grading/simulation/schedule.ts";
import { startReplica as startOwn } from "../../variants/own-types/replica.ts";
import { replicaOf, TREASURER } from "./people.ts";

const PEOPLE = ["ada", "bob", "cleo", "dan", "eve"];
const SEEDS = Array.from({ length: 8 }, (_, i) => 1_000 + i);
const EVENTS = 120;

const kinds: Record<string, (actor: Actor) => Replica> = {
  reference: replicaOf,
  "own types": (actor) => startOwn({ actor, treasurer: TREASURER }),
};

test.each(Object.entries(kinds))("%s: all see the same in the end", async (_kind, start) => {
  for (const seed of SEEDS) {
    const people = PEOPLE.map((name) => ({ name, replica: start(name) }));
    const schedule = drawSchedule(randomFrom(seed), { people: PEOPLE.length, events: EVENTS });
    const failure = await run(people, "board", schedule, seed);
    expect({ seed, failure }).toEqual({ seed, failure: undefined });
  }
});
