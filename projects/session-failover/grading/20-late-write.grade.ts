import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import { check, expectDead, sessionInput, someData, startTwoNodes } from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

export default check({
  title: "what a slow writer still has to tell Redis undoes nothing that came after it",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["newest-version-wins"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Node a has committed, and has yet to tell Redis. Before it does, b ends the session and tells Redis so.",
    "A session that is gone has no version to compare with: a deletion leaves nothing behind that a late write could lose against.",
    "Let writers only ever take away, or mark in Redis that a write is under way before it is committed; whoever finds a mark of somebody else's leaves the place empty.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const cached = async () => {
      const session = await b.create(sessionInput(t));
      await Promise.all([a.get(session.id), b.get(session.id)]);
      return session;
    };
    await untilBackOnRedis(t, [a, b]);
    await atEachMessage(t, { engine: "redis", node: "a", passes: 2 }, async (interleave) => {
      const { id } = await cached();
      t.step("a changes a session and is stopped on its way to Redis; b ends it meanwhile");
      const change = { data: someData(t), expectedVersion: 1 };
      const [update, end] = await interleave(
        () => a.update(id, change),
        () => b.destroy(id),
      );
      resultOf(t, update, ["NOT_FOUND"], "a save that met a logout says so");
      if (end.status === "rejected") throw end.reason;
      await expectDead(t, [b], id, "a session that was ended is not brought back");
      await expectSettled(t, [a, b], id, null, "a session that was ended stays dead");
    });
    await atEachMessage(t, { engine: "redis", node: "a" }, async (interleave) => {
      const { id } = await cached();
      t.step("a touches a session and is stopped on its way to Redis; b changes it meanwhile");
      const change = { data: someData(t), expectedVersion: 1 };
      const [touch, update] = await interleave(
        () => a.touch(id, 120_000),
        () => b.update(id, change),
      );
      resultOf(t, touch, [], "a touch is not refused because somebody writes");
      if (update.status === "rejected") throw update.reason;
      t.equal((await b.get(id))?.version, 2, "who has written reads it");
      await expectSettled(t, [a, b], id, update.value, "the newest write stays");
    });
    await atEachMessage(t, { engine: "redis", node: "a", lost: true }, async (interleave) => {
      const { id } = await cached();
      t.step("a changes a session, and its connection to Redis breaks on the way");
      const change = { data: someData(t), expectedVersion: 1 };
      const [update] = await interleave(
        () => a.update(id, change),
        async () => {},
      );
      const updated = resultOf(t, update, [], "an error of Redis is not the user's");
      if (!updated) return;
      t.equal((await a.get(id))?.version, 2, "who has written reads it");
      await expectSettled(t, [b, a], id, updated, "what Redis could not be told is seen");
    });
  },
});
