import { restartStale } from "@db-katas/engines/faults/restartStale";
import {
  check,
  expectWithinBound,
  readThrough,
  sessionInput,
  someData,
  startTwoNodes,
} from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

export default check({
  title: "a Redis that comes back with an old backup brings nobody back to life",
  points: 3,
  concept: "fail-back",
  traps: ["redis-never-forgets"],
  engines: { postgres: {}, redis: { faults: [restartStale] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Redis confirmed the logout. Then it was restored from a copy that somebody had made before it.",
    "What Redis has confirmed is worth as much as its memory: after a restart, what it holds may be from any moment.",
    "Redis gives itself a new run_id at each start (INFO server). What was cached under another one is no longer known to be true.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const [ended, left, moved, changed] = await Promise.all([
      a.create(sessionInput(t)),
      b.create(sessionInput(t)),
      a.create(sessionInput(t)),
      b.create(sessionInput(t)),
    ]);
    await untilBackOnRedis(t, [a, b]);
    for (const { id } of [ended, left, moved, changed]) await readThrough(id, a, b);
    t.step("a backup of Redis is made; then users log out, and Redis hears of it");
    const snapshot = await t.lease("redis").snapshot();
    await untilBackOnRedis(t, [a, b]);
    await a.destroy(ended.id);
    await b.destroyAll(left.userId);
    const rotated = await a.rotate(moved.id);
    const updated = await b.update(changed.id, { data: someData(t), expectedVersion: 1 });
    for (const { id } of [ended, left, moved, changed, rotated])
      await Promise.all([a.get(id), b.get(id)]);
    t.step("Redis is restored from the backup");
    await t.inject("redis", restartStale, { snapshot });
    await untilBackOnRedis(t, [a, b]);
    for (const [id, wanted, what] of [
      [ended.id, null, "a session that was ended stays dead, whatever Redis remembers"],
      [left.id, null, "destroyAll()'s work is not undone"],
      [moved.id, null, "an id rotated away stays dead"],
      [rotated.id, rotated, "the rotated session lives"],
      [changed.id, updated, "the newest write is read"],
    ] as const)
      await expectWithinBound(t, [a, b], id, wanted, what, { again: 1 });
  },
});
