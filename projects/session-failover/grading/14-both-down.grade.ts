import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { BUDGET_MS, check, readThrough, SLACK_MS, sessionInput, startTwoNodes } from "./kit.ts";

export default check({
  title: "with both stores down the answer is a clear error, in time",
  points: 3,
  concept: "fail closed",
  traps: ["fails-open", "closed-in-name-only"],
  engines: { postgres: { faults: [blackHole] }, redis: { faults: [kill] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  timing: true,
  hints: [
    "'I can't tell' and 'there is no such session' lead to different pages.",
    "Neither null nor a copy from memory: reject with STORE_UNAVAILABLE, before the budget is over.",
    "Who closes a node wants its connections back: end the pool and the client of Redis, and stop what would connect again.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t, BUDGET_MS);
    const session = await a.create(sessionInput(t));
    await readThrough(session.id, a, b);
    t.step("Redis is killed, PostgreSQL swallows everything");
    const redisOutage = await t.inject("redis", kill);
    const postgresOutage = await t.inject("postgres", blackHole, {});
    const calls: [string, () => Promise<unknown>][] = [
      ["get", () => b.get(session.id)],
      ["create", () => a.create(sessionInput(t))],
      ["update", () => a.update(session.id, { data: {}, expectedVersion: 1 })],
      ["destroy", () => b.destroy(session.id)],
      ["destroyAll", () => a.destroyAll(session.userId)],
      ["list", () => b.list(session.userId)],
    ];
    const refuse = async ([name, call]: (typeof calls)[number]) => {
      const what = `${name}() says STORE_UNAVAILABLE in time when both stores are down`;
      const { outcome } = await t.within(BUDGET_MS + SLACK_MS, call, what);
      const settled =
        outcome.status === "fulfilled"
          ? Promise.resolve(outcome.value)
          : Promise.reject(outcome.reason);
      await t.rejects(settled, "STORE_UNAVAILABLE", what);
    };
    await Promise.all(calls.map(refuse));
    t.step("both are back");
    await Promise.all([redisOutage.heal(), postgresOutage.heal()]);
    await t.eventually(
      3_000,
      () => a.create(sessionInput(t)),
      (created) => created.version === 1,
      "the cluster recovers by itself",
      "a session",
    );
    t.step("both nodes are closed");
    for (const [name, node] of [
      ["a", a],
      ["b", b],
    ] as const) {
      const closing = "close() is done within the budget";
      const { outcome } = await t.within(BUDGET_MS + SLACK_MS, () => node.close(), closing);
      if (outcome.status === "rejected") throw outcome.reason;
      for (const engine of ["postgres", "redis"]) {
        await t.eventually(
          BUDGET_MS + SLACK_MS,
          async () => t.lease(engine).traffic(name).open,
          (open) => open === 0,
          `a closed node lets go of ${engine}, whose connections others need`,
          "no connection that is open",
        );
      }
      const over = "a closed node doesn't answer as if it were open";
      await t.rejects(node.get(session.id), "STORE_UNAVAILABLE", over);
    }
  },
});
