import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { Redis } from "ioredis";
import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import {
  check,
  readThrough,
  type SessionContext,
  sessionInput,
  someData,
  startTwoNodes,
} from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

/** As many as there can be rounds. */
const SESSIONS = 20;

export default check({
  title: "a slow reader doesn't put back what was changed while it read",
  points: 3,
  concept: "fail-back",
  traps: ["unconditional-fill", "fill-checked-outside", "release-not-looked-at"],
  engines: { postgres: {}, redis: { faults: [restartEmpty] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Node b missed in Redis, read PostgreSQL, and is on its way to Redis with what it found. Now a writes.",
    "Give a reader that misses a token, take it away when somebody writes, and fill only with the token still there: leases, in 'Scaling Memcache at Facebook' (NSDI 2013). Compare and fill in one step, inside Redis.",
    "Whatever a writer leaves in Redis to keep readers from filling may be gone before it has committed. When it takes that away again, is it still there, and what if it isn't?",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const uncached: string[] = [];
    for (let i = 0; i < SESSIONS; i += 2) {
      const both = await Promise.all([a.create(sessionInput(t)), b.create(sessionInput(t))]);
      uncached.push(...both.map(({ id }) => id));
    }
    await t.inject("redis", restartEmpty);
    await untilBackOnRedis(t, [a, b]);
    for (const [place, where] of [
      [{ engine: "redis", node: "b", passes: 2 }, "is stopped on its way to Redis"],
      [{ engine: "postgres", node: "b", direction: "reply" }, "hears late from PostgreSQL"],
    ] as const) {
      await atEachMessage(t, place, async (interleave) => {
        const id = uncached.pop();
        if (!id) throw new Error("there are fewer sessions than rounds");
        t.step(`b reads a session that is not cached, and ${where}; a changes it meanwhile`);
        const data = someData(t);
        const [read, write] = await interleave(
          () => b.get(id),
          () => a.update(id, { data, expectedVersion: 1 }),
        );
        resultOf(t, read, [], "a read is not refused because somebody writes");
        if (write.status === "rejected") throw write.reason;
        const what = "a late fill never undoes a write";
        t.equal((await a.get(id))?.version, 2, what);
        await expectSettled(t, [b, a], id, write.value, what);
      });
    }
    await atEachMessage(t, { engine: "postgres", node: "a", passes: 2 }, async (interleave) => {
      const { id } = await a.create(sessionInput(t));
      await readThrough(id, a, b);
      t.step(
        "a is about to change a session in PostgreSQL; Redis forgets all that it was told, then b reads",
      );
      const [update, read] = await interleave(
        () => a.update(id, { data: someData(t), expectedVersion: 1 }),
        () => forgetAll(t).then(() => b.get(id)),
      );
      resultOf(t, read, [], "a read is not refused because somebody writes");
      const updated = resultOf(t, update, [], "a write is not refused because Redis forgets");
      if (!updated) return;
      const what = "what was read before a write is not believed after it";
      t.equal((await a.get(id))?.version, 2, what);
      await expectSettled(t, [b, a], id, updated, what);
    });
  },
});

/** As somebody with a prompt does, or, key by key, a Redis that needs room (`maxmemory-policy`). */
async function forgetAll(t: SessionContext): Promise<void> {
  const redis = new Redis(t.lease("redis").adminUrl);
  try {
    await redis.flushdb();
  } finally {
    redis.disconnect();
  }
}
