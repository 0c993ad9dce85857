import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { check, readThrough, sessionInput, startNodes, untilBackOnRedis } from "./kit.ts";

const REQUESTS = 300;
const MAX_CONNECTIONS = 20;
/** Ten GETs of a session are less than 2 KiB; 300 are more than 30. */
const MAX_BYTES = 12 * 1024;

export default check({
  title: "a dead Redis is probed now and then, not by every request",
  points: 3,
  concept: "circuit breaker",
  traps: ["probe-per-request"],
  engines: { postgres: {}, redis: { faults: [kill, pause] } },
  nodes: ["a"],
  dependsOn: ["roundtrip"],
  timing: true,
  hints: [
    "300 requests meet a dead Redis. How many of them go and see for themselves?",
    "Open the circuit after a few failures, and let one probe at a time find out whether Redis is back.",
  ],
  async run(t) {
    const [a] = await startNodes(t, ["a"]);
    if (!a) return;
    const session = await a.create(sessionInput(t));
    await readThrough(session.id, a);
    const usesRedis = t.lease("redis").traffic("a").bytesDown > 0;
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
    // Whoever does well without Redis needn't come back to it.
    if (!usesRedis) return;
    t.step("Redis is back, and is used again");
    const before = t.lease("redis").traffic("a").bytesDown;
    await t.eventually(
      8_000,
      async () => {
        await a.get(session.id);
        return t.lease("redis").traffic("a").bytesDown - before;
      },
      (bytes) => bytes > 0,
      "Redis is used again once it is back",
      "an answer of Redis on node a's connection",
    );
  },
});
