import { delay } from "@db-katas/engines/faults/delay";
import { check, sessionInput, startTwoNodes } from "./kit.ts";

export default check({
  title: "touching a session never undoes an update that happens meanwhile",
  points: 3,
  concept: "optimistic concurrency",
  traps: ["touch-rewrites-record"],
  engines: { postgres: { faults: [delay] }, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "What does your touch write besides the expiry?",
    "A touch that reads the record, changes one field and writes all of it back takes every other field back in time.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const session = await a.create(sessionInput(t));
    t.step("node a is slow: its touch takes long enough for b to update many times");
    await using _slow = await t.inject("postgres", delay, { ms: 25, nodes: ["a"] });
    let version = session.version;
    for (let round = 0; round < 3; round++) {
      let touching = true;
      const touch = a.touch(session.id, 120_000 + round).finally(() => {
        touching = false;
      });
      // Awaited below; an update that is refused before that ends the check.
      touch.catch(() => {});
      // At least one update after the touch is over, so that what it left behind is met.
      for (let last = false; !last; ) {
        last = !touching;
        const updated = await b.update(session.id, { data: { version }, expectedVersion: version });
        t.equal(updated.version, version + 1, "each update makes the next version");
        version = updated.version;
      }
      await touch;
    }
    for (const node of [b, a]) {
      const seen = await node.get(session.id);
      t.equal(seen?.version, version, "the last update's version is still there");
      t.equal(seen?.data, { version: version - 1 }, "the last update's data is still there");
    }
  },
});
