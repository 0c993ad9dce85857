import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { readonly } from "@db-katas/engines/faults/readonly";
import { check, expectWithinBound, readThrough, sessionInput, startTwoNodes } from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

export default check({
  title: "who logs out while Redis is away stays logged out when it is back",
  points: 5,
  concept: "fail-back",
  traps: ["resurrected-on-fail-back", "replies-passed-on"],
  engines: { postgres: {}, redis: { faults: [kill, pause, readonly] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "What is still in Redis when it comes back, and who told it that the user has gone?",
    "A delete that Redis never saw has to be remembered somewhere else, and looked at before Redis is believed again.",
    "An epoch that every write which Redis missed moves on, kept in PostgreSQL and noted with every session that is cached, tells what is too old to be believed. Note the epoch that belongs to the row, not the one that you happen to remember.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    for (const fault of [kill, pause, readonly]) {
      const [left, right, moved] = await Promise.all([
        a.create(sessionInput(t)),
        b.create(sessionInput(t)),
        a.create(sessionInput(t)),
      ]);
      for (const session of [left, right, moved]) await readThrough(session.id, a, b);
      t.step(`Redis keeps its data but is away (${fault.name}); users log out on both nodes`);
      const outage = await t.inject("redis", fault);
      await a.destroy(left.id);
      await b.destroyAll(right.userId);
      const rotated = await a.rotate(moved.id);
      t.equal(await a.get(left.id), null, "gone at once on the node that ended it");
      t.equal(await b.get(right.id), null, "gone at once on the node that ended it");
      t.step("Redis is back, with what it had");
      await outage.heal();
      await untilBackOnRedis(t, [a, b]);
      const dead = "a session ended during the outage stays dead after fail-back";
      await expectWithinBound(t, [a, b], left.id, null, dead);
      await expectWithinBound(t, [b, a], right.id, null, dead);
      await expectWithinBound(t, [b, a], moved.id, null, "an id rotated away stays dead");
      t.equal((await b.get(rotated.id))?.userId, moved.userId, "the rotated session lives");
    }
  },
});
