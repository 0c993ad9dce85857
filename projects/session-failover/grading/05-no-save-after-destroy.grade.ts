import { delay } from "@db-katas/engines/faults/delay";
import {
  check,
  expectDead,
  readThrough,
  sessionInput,
  startTwoNodes,
  untilBackOnRedis,
} from "./kit.ts";

export default check({
  title: "a slow request can't save a session back to life",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["save-recreates"],
  engines: { postgres: { faults: [delay] }, redis: {} },
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

    t.step("the save is slow, and under way while the user logs out");
    await using slow = await t.inject("postgres", delay, { ms: 25, nodes: ["a"] });
    for (let round = 0; round < 3; round++) {
      const short = await b.create(sessionInput(t));
      await readThrough(short.id, a);
      const save = a.update(short.id, { data: { late: true }, expectedVersion: 1 });
      const [, saved] = await Promise.allSettled([b.destroy(short.id), save]);
      // Which of the two came first is open; that the session is over is not.
      if (saved.status === "rejected")
        await t.rejects(save, "NOT_FOUND", "the save lost, and says so");
      await expectDead(t, [b, a], short.id, "the session is over, whichever came first");
      const other = await b.create(sessionInput(t));
      await readThrough(other.id, a);
      const touch = a.touch(other.id, 120_000);
      const [, touched] = await Promise.allSettled([b.destroy(other.id), touch]);
      if (touched.status === "rejected") {
        await t.rejects(touch, "NOT_FOUND", "the touch lost, and says so");
      }
      await expectDead(t, [b, a], other.id, "a touch doesn't bring it back either");
    }
    await slow.heal();

    t.step("the same with a rotated id");
    const other = await a.create(sessionInput(t));
    await readThrough(other.id, a, b);
    const rotated = await b.rotate(other.id);
    await t.rejects(a.update(other.id, late), "NOT_FOUND", "a save under the old id is refused");
    await expectDead(t, [a, b], other.id, "the old id stays dead");
    t.equal((await a.get(rotated.id))?.version, 1, "the session under its new id is untouched");
  },
});
