import { blackHole } from "@db-katas/engines/faults/blackHole";
import { check, EASY_BUDGET_MS, SLACK_MS, sessionInput, startTwoNodes } from "./kit.ts";

export default check({
  title: "what can't be made durable is not acknowledged",
  points: 3,
  concept: "durability",
  traps: ["write-behind", "acknowledged-early"],
  engines: { postgres: { faults: [blackHole] }, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "PostgreSQL can't be reached by node a. Redis can. What may node a promise?",
    "create() resolves when the session would survive the loss of Redis, not before.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const session = await a.create(sessionInput(t));
    t.step("node a can't reach PostgreSQL; it is asked to open, change and end sessions");
    await using outage = await t.inject("postgres", blackHole, { nodes: ["a"] });
    const writes: [string, () => Promise<unknown>][] = [
      ["create", () => a.create(sessionInput(t))],
      ["update", () => a.update(session.id, { data: { lost: true }, expectedVersion: 1 })],
      ["touch", () => a.touch(session.id, 120_000)],
      ["rotate", () => a.rotate(session.id)],
      ["destroy", () => a.destroy(session.id)],
      ["destroyAll", () => a.destroyAll(session.userId)],
    ];
    const refuse = async ([name, write]: (typeof writes)[number]) => {
      const what = `${name}() is refused in time when PostgreSQL can't be reached`;
      const { outcome } = await t.within(EASY_BUDGET_MS + SLACK_MS, write, what);
      const settled =
        outcome.status === "fulfilled"
          ? Promise.resolve(outcome.value)
          : Promise.reject(outcome.reason);
      await t.rejects(settled, "STORE_UNAVAILABLE", what);
    };
    await Promise.all(writes.map(refuse));
    t.step(
      "PostgreSQL is back: nothing that was refused has become visible as a success elsewhere",
    );
    await outage.heal();
    t.equal((await b.get(session.id))?.userId, session.userId, "the session still lives on b");
  },
});
