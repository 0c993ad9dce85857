import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../grading/simulation/run.ts";
import type { Event } from "../grading/simulation/schedule.ts";
import { soak } from "../soak/soak.ts";
import { replicaOf } from "./replica/people.ts";

const REFERENCE = join(import.meta.dirname, "../src/index.ts");
const TAKES_ONE = join(import.meta.dirname, "fixtures/takes-one/index.ts");
/** As many as a busy machine runs while somebody waits; `converges --schedules 10000` is for the evening. */
const SCHEDULES = 500;
/** Room for a busy machine, in milliseconds. */
const PATIENCE_MS = 300_000;

test(
  `${SCHEDULES} random schedules leave five people with the same board`,
  async () => {
    const { diverged } = await soak({
      index: REFERENCE,
      seed: 1,
      schedules: SCHEDULES,
      events: 60,
    });
    expect(diverged).toEqual([]);
  },
  PATIENCE_MS,
);

test("a replica that loses changes is found out, and shown with few events", async () => {
  const options = { index: TAKES_ONE, seed: 1, schedules: 2, events: 60, threads: 1 };
  const { diverged } = await soak(options);
  expect(diverged.map(({ seed }) => seed)).toEqual([1, 2]);
  for (const { failure, events } of diverged) {
    expect(failure.what).toBe("who has the same changes sees the same");
    expect(events).toBeLessThan(15);
    expect(failure.story.length).toBeGreaterThan(0);
  }
});

test("where two have deleted a group and one undoes that, nobody misses what is in it", async () => {
  const people = ["ada", "bob"].map((name) => ({ name, replica: replicaOf(name) }));
  const edit = (who: number, nth: number, pick: readonly number[]): Event => ({
    ...{ kind: "edit", who, nth, pick },
  });
  const deletes = [9, 0, 0, 0, 0];
  const schedule: Event[] = [
    edit(0, 0, [0, 0, 0, 0, 4]),
    { kind: "deliver", to: 1, picks: [0] },
    edit(0, 1, [0, 0, 1, 0, 0]),
    edit(1, 2, deletes),
    edit(0, 3, deletes),
    { kind: "undo", who: 0 },
  ];
  expect(await run(people, "board", schedule, 1)).toBeUndefined();
  for (const { replica } of people) expect((await replica.view("board")).shapes).toEqual([]);
});
