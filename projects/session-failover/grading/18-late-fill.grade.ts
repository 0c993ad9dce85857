import { setTimeout as wait } from "node:timers/promises";
import { delay } from "@db-katas/engines/faults/delay";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { check, sessionInput, someData, startTwoNodes, untilBackOnRedis } from "./kit.ts";

/** How long b's packets to and from Redis take, in milliseconds. */
const SLOW_MS = 20;

export default check({
  title: "a slow reader doesn't put back what was changed while it read",
  points: 3,
  concept: "fail-back",
  traps: ["unconditional-fill"],
  engines: { postgres: {}, redis: { faults: [delay, restartEmpty] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Node b missed in Redis, read PostgreSQL, and is on its way to Redis with what it found. Now a writes.",
    "Give a reader that misses a token, take it away when somebody writes, and fill only with the token still there: leases, in 'Scaling Memcache at Facebook' (NSDI 2013).",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const sessions = [];
    for (let i = 0; i < 8; i++) sessions.push(await a.create(sessionInput(t)));
    await t.inject("redis", restartEmpty);
    await untilBackOnRedis(t, [a, b]);
    for (const [i, session] of sessions.entries()) {
      t.step("b, far from Redis, reads a session that is not cached; a changes it meanwhile");
      const slow = await t.inject("redis", delay, { ms: SLOW_MS, nodes: ["b"] });
      const reading = b.get(session.id);
      // b has its miss after two trips; its fill takes another one. a writes somewhere in there.
      await wait(2 * SLOW_MS + 2 + i * 2);
      await a.update(session.id, { data: someData(t), expectedVersion: 1 });
      await reading;
      await slow.heal();
      // The fill is on its way for one more trip, and nobody tells when it has arrived.
      await wait(2 * SLOW_MS);
      for (const node of [a, b]) {
        const version = (await node.get(session.id))?.version;
        t.equal(version, 2, "a late fill never undoes a write");
      }
    }
  },
});
