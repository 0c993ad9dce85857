import { join } from "node:path";
import { expect, test } from "vitest";
import { soak } from "../soak/soak.ts";

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
