import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { check, readThrough, sessionInput } from "./kit.ts";
import { expectBackOnRedis, startWithoutRedis, untilBackOnRedis } from "./outage.ts";

const REQUESTS = 300;
const MAX_CONNECTIONS = 20;
/** Ten GETs of a session are less than 2 KiB; 300 are more than 30. */
const MAX_BYTES = 12 * 1024;

export default check({
  title: "a dead Redis is probed now and then, not by every request",
  points: 3,
  concept: "circuit breaker",
  traps: ["probe-per-request", "redis-needed-to-start"],
  engines: { postgres: {}, redis: { faults: [kill, pause] } },
  nodes: ["a"],
  dependsOn: ["roundtrip"],
  hints: [
    "300 requests meet a dead Redis. How many of them go and see for themselves?",
    "Open the circuit after a few failures, and let one probe at a time find out whether Redis is back.",
    "A node that starts during the outage begins with an open circuit. It opens, serves from PostgreSQL, and has the same probe look for Redis.",
  ],
  async run(t) {
    const early = await t.inject("redis", kill);
    const a = await startWithoutRedis(t, "a", "down");
    const session = await a.create(sessionInput(t));
    t.equal(await a.get(session.id), session, "what it opened without Redis is there");
    await early.heal();
    await expectBackOnRedis(t, a, "a");
    await readThrough(session.id, a);
    for (const fault of [kill, pause]) {
      t.step(`${REQUESTS} requests while Redis is away (${fault.name})`);
      // Whoever has not yet come back from the fault before would not meet this one.
      await untilBackOnRedis(t, [a], ["a"]);
      await using _outage = await t.inject("redis", fault);
      const before = t.lease("redis").traffic("a");
      for (let sent = 0; sent < REQUESTS; sent += 10) {
        await Promise.all(Array.from({ length: 10 }, () => a.get(session.id)));
      }
      const after = t.lease("redis").traffic("a");
      const connections = after.connections - before.connections;
      t.ok(connections <= MAX_CONNECTIONS, "a dead Redis is not reconnected to by every request", {
        expected: `at most ${MAX_CONNECTIONS} new connections`,
        received: `${connections}`,
      });
      const bytes = after.bytesUp - before.bytesUp;
      t.ok(bytes <= MAX_BYTES, "a hanging Redis is not asked by every request", {
        expected: `at most ${MAX_BYTES} bytes sent to it`,
        received: `${bytes}`,
      });
    }
    t.step("Redis is back, and is used again");
    await expectBackOnRedis(t, a, "a");
  },
});
