import { pause } from "@db-katas/engines/faults/pause";
import type { SessionNode } from "../contract.ts";
import {
  BUDGET_MS,
  check,
  readThrough,
  SLACK_MS,
  sessionInput,
  someData,
  startNodes,
} from "./kit.ts";
import { startWithoutRedis } from "./outage.ts";

export default check({
  title: "a Redis that hangs costs no request more than its budget",
  points: 4,
  concept: "latency budget",
  traps: ["only-connection-errors", "redis-needed-to-start"],
  engines: { postgres: {}, redis: { faults: [pause] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  timing: true,
  hints: [
    "A paused Redis breaks no connection and reports no error. What are you waiting for?",
    "Give every Redis command a budget of its own, well below the request's, and treat running out of it as a failure of Redis.",
    "After a few of those, stop asking for a while: a circuit breaker.",
  ],
  async run(t) {
    const [a] = (await startNodes(t, ["a"], BUDGET_MS)) as [SessionNode];
    const sessions = await Promise.all(Array.from({ length: 4 }, () => a.create(sessionInput(t))));
    for (const session of sessions) await readThrough(session.id, a);
    t.step("Redis is paused: connections stay open, nothing answers");
    await using _outage = await t.inject("redis", pause);
    const b = await startWithoutRedis(t, "b", "paused", BUDGET_MS);
    for (const [index, node] of [a, b].entries()) {
      const [kept, ended] = sessions.slice(index * 2, index * 2 + 2);
      if (!kept || !ended) return;
      const within = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
        const text = `${what} answers within its budget while Redis hangs`;
        const { outcome } = await t.within(BUDGET_MS + SLACK_MS, run, text);
        if (outcome.status === "rejected") throw outcome.reason;
        return outcome.value;
      };
      t.equal(
        (await within("get()", () => node.get(kept.id)))?.id,
        kept.id,
        "get() finds the session",
      );
      const updated = await within("update()", () =>
        node.update(kept.id, { data: someData(t), expectedVersion: 1 }),
      );
      t.equal(updated.version, 2, "update() writes");
      const created = await within("create()", () => node.create(sessionInput(t)));
      t.equal(
        (await within("get()", () => node.get(created.id)))?.id,
        created.id,
        "the new session is there",
      );
      await within("destroy()", () => node.destroy(ended.id));
      t.equal(await within("get()", () => node.get(ended.id)), null, "the ended session is gone");
    }
  },
});
