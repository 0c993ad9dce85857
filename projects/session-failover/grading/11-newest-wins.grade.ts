import { delay } from "@db-katas/engines/faults/delay";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
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
  title: "after fail-back everybody reads the newest write, whatever was queued or left behind",
  points: 5,
  concept: "fail-back",
  traps: ["offline-queue", "older-copy-wins"],
  engines: { postgres: {}, redis: { faults: [kill, pause, delay] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Your Redis client keeps commands while it is offline. When does it send them, and what has happened since?",
    "A paused Redis executes what it finds in its socket when it wakes up, long after you gave up on it.",
    "Writes to Redis must lose against newer ones, whenever they arrive: compare inside Redis something that every change moves on (`version` is not it: touch and destroy leave it alone), or let readers fill only what nobody has changed since they asked. No clock will do.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    for (const fault of [pause, kill]) {
      const session = await a.create(sessionInput(t));
      await readThrough(session.id, a, b);
      t.step(`Redis is away (${fault.name}); a writes, then b writes something newer`);
      const outage = await t.inject("redis", fault);
      await a.update(session.id, { data: someData(t), expectedVersion: 1 });
      await b.update(session.id, { data: someData(t), expectedVersion: 2 });
      const newest = await b.update(session.id, { data: someData(t), expectedVersion: 3 });
      t.equal((await b.get(session.id))?.version, 4, "b reads its own write during the outage");
      t.step("Redis is back; what a still has to tell it arrives after what b has");
      const slow = await t.inject("redis", delay, { ms: 100, nodes: ["a"] });
      await outage.heal();
      await untilBackOnRedis(t, [b], ["b"]);
      await slow.heal();
      await untilBackOnRedis(t, [a, b]);
      await expectWithinBound(
        t,
        [a, b],
        session.id,
        newest,
        "the newest write is read after fail-back",
      );
      t.step("and the next write works on it");
      const next = await a.update(session.id, { data: someData(t), expectedVersion: 4 });
      await expectWithinBound(t, [a, b], session.id, next, "so is the one after it");
    }
  },
});
