/** The grader's schedules, in one process, with the replica that is Automerge's. */
import { randomFrom } from "@db-katas/grading";
import { expect, test } from "vitest";
import { run } from "../../grading/simulation/run.ts";
import { drawSchedule } from "../../grading/simulation/schedule.ts";
import { startReplica } from "../../variants/automerge/replica.ts";
import { TREASURER } from "../replica/people.ts";

const PEOPLE = ["ada", "bob", "cleo", "dan", "eve"];
const SCHEDULES = 12;
const EVENTS = 100;
/** Room for a busy machine, in milliseconds. */
const PATIENCE_MS = 120_000;

test(
  "all see the same in the end",
  async () => {
    for (let seed = 1; seed <= SCHEDULES; seed++) {
      const people = PEOPLE.map((name) => ({
        name,
        replica: startReplica({ actor: name, treasurer: TREASURER }),
      }));
      const schedule = drawSchedule(randomFrom(seed), { people: PEOPLE.length, events: EVENTS });
      const failure = await run(people, "board", schedule, seed);
      expect({ seed, failure }).toEqual({ seed, failure: undefined });
    }
  },
  PATIENCE_MS,
);
