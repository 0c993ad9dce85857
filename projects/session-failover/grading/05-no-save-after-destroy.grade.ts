import { atEachMessage, expectSettled, resultOf } from "./interleave.ts";
import { check, expectDead, readThrough, sessionInput, startTwoNodes } from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

export default check({
  title: "a slow request can't save a session back to life",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["save-recreates"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "A request read the session, the user logged out elsewhere, and now the request saves what it holds.",
    "An upsert can't tell 'not yet there' from 'no longer there'. Update, and count the rows.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const session = await a.create(sessionInput(t));
    await untilBackOnRedis(t, [a, b]);
    await readThrough(session.id, a, b);
    t.step(
      "a request on a holds the session; the user logs out on b; the request saves, touches, rotates",
    );
    const held = await a.get(session.id);
    await b.destroy(session.id);
    const late = { data: { late: true }, expectedVersion: held?.version ?? 1 };
    for (const node of [a, b]) {
      await t.rejects(node.update(session.id, late), "NOT_FOUND", "a save after logout is refused");
      await t.rejects(
        node.touch(session.id, 60_000),
        "NOT_FOUND",
        "a touch after logout is refused",
      );
      await t.rejects(node.rotate(session.id), "NOT_FOUND", "a rotation after logout is refused");
    }
    await expectDead(t, [a, b], session.id, "the session stays dead");
    t.equal(await a.list(session.userId), [], "and is not listed");

    t.step("the same with a rotated id");
    const other = await a.create(sessionInput(t));
    await readThrough(other.id, a, b);
    const rotated = await b.rotate(other.id);
    await t.rejects(a.update(other.id, late), "NOT_FOUND", "a save under the old id is refused");
    await expectDead(t, [a, b], other.id, "the old id stays dead");
    t.equal((await a.get(rotated.id))?.version, 1, "the session under its new id is untouched");

    const slow = { engine: "postgres", node: "a" } as const;
    await atEachMessage(t, slow, async (interleave) => {
      const { id } = await b.create(sessionInput(t));
      await a.get(id);
      t.step("a saves, and is stopped on its way to PostgreSQL; the user logs out on b meanwhile");
      const [save, end] = await interleave(
        () => a.update(id, { ...late, expectedVersion: 1 }),
        () => b.destroy(id),
      );
      // Which of the two came first is open; that the session is over is not.
      resultOf(t, save, ["NOT_FOUND"], "a save that lost says so");
      if (end.status === "rejected") throw end.reason;
      const over = "the session is over, whichever came first";
      await expectDead(t, [b], id, over);
      await expectSettled(t, [b, a], id, null, over);
    });
    await atEachMessage(t, slow, async (interleave) => {
      const { id } = await b.create(sessionInput(t));
      await a.get(id);
      t.step(
        "a touches, and is stopped on its way to PostgreSQL; the user logs out on b meanwhile",
      );
      const [touch, end] = await interleave(
        () => a.touch(id, 120_000),
        () => b.destroy(id),
      );
      resultOf(t, touch, ["NOT_FOUND"], "a touch that lost says so");
      if (end.status === "rejected") throw end.reason;
      const over = "a touch doesn't bring it back either";
      await expectDead(t, [b], id, over);
      await expectSettled(t, [b, a], id, null, over);
    });
  },
});
