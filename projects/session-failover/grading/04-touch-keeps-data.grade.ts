import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import { check, sessionInput, someData, startTwoNodes } from "./kit.ts";

export default check({
  title: "touching a session never undoes an update that happens meanwhile",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["touch-rewrites-record"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "What does your touch write besides the expiry?",
    "A touch that reads the record, changes one field and writes all of it back takes every other field back in time.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    for (const direction of ["request", "reply"] as const) {
      const place = { engine: "postgres", node: "a", direction } as const;
      await atEachMessage(t, place, async (interleave) => {
        const { id } = await b.create(sessionInput(t));
        await Promise.all([a.get(id), b.get(id)]);
        t.step("a touches a session and is stopped half-way; b changes it meanwhile");
        const change = { data: someData(t), expectedVersion: 1 };
        const [touch, update] = await interleave(
          () => a.touch(id, 120_000),
          () => b.update(id, change),
        );
        resultOf(t, touch, [], "a touch is not refused because somebody writes");
        if (update.status === "rejected") throw update.reason;
        t.equal(update.value.version, 2, "each update makes the next version");
        await expectSettled(t, [b, a], id, update.value, "the update is still there");
      });
    }
  },
});
