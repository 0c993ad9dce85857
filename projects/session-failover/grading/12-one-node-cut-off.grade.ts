import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import {
  check,
  expectWithinBound,
  readThrough,
  STALENESS_MS,
  sessionInput,
  someData,
  startTwoNodes,
  untilBackOnRedis,
} from "./kit.ts";

/** Beyond S, for a machine that is late itself, in milliseconds. */
const QUIET_MS = 150;

export default check({
  title: "when one node alone is cut off from Redis, both still see each other's writes within S",
  points: 5,
  concept: "split brain",
  traps: ["each-node-chooses-its-tier"],
  engines: { postgres: {}, redis: { faults: [blackHole] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "For b, Redis is in perfect health. How would it learn that a could not tell Redis something?",
    "Both nodes reach PostgreSQL. What would a have to leave there, and how often must b look?",
    "A node may trust what Redis says only as long as it knows, from less than S ago, that nobody wrote past it.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const [shared, ended, left, moved] = await Promise.all([
      a.create(sessionInput(t)),
      a.create(sessionInput(t)),
      a.create(sessionInput(t)),
      b.create(sessionInput(t)),
    ]);
    for (const session of [shared, ended, left, moved]) await readThrough(session.id, a, b);
    const cachedOnB = async (id: string) => {
      // On a busy machine b may just have lost faith in Redis, and would learn too much.
      await untilBackOnRedis(t, [b], ["b"]);
      await readThrough(id, b);
    };
    // Nobody asks b meanwhile: it has to know by itself that it can't know. Its first answer counts:
    // who is asked again and again needs only one slow moment of Redis to look into PostgreSQL.
    const firstVersions = async (...ids: string[]) => {
      await wait(STALENESS_MS + QUIET_MS);
      return Promise.all(ids.map(async (id) => (await b.get(id))?.version ?? null));
    };
    await cachedOnB(shared.id);
    t.step("node a loses Redis (black hole); node b does not");
    const outage = await t.inject("redis", blackHole, { nodes: ["a"] });
    const first = await a.update(shared.id, { data: someData(t), expectedVersion: 1 });
    t.equal(
      await firstVersions(shared.id),
      [2],
      "b's first read after S sees what a wrote past Redis",
    );
    await expectWithinBound(t, [a, b], shared.id, first, "so do the reads after it");
    const second = await b.update(shared.id, { data: someData(t), expectedVersion: 2 });
    await expectWithinBound(t, [b, a], shared.id, second, "a sees what b wrote");
    // Each of a's writes meets a session that b has every reason to serve from Redis.
    for (const { id } of [ended, left, moved]) await cachedOnB(id);
    await a.destroy(ended.id);
    t.equal(await a.destroyAll(left.userId), 1, "a ends all sessions of a user");
    const rotated = await a.rotate(moved.id);
    t.equal(
      await firstVersions(ended.id, left.id, moved.id),
      [null, null, null],
      "what a destroyed, ended for a user and rotated away is dead on b within S",
    );
    for (const { id } of [ended, left, moved])
      await expectWithinBound(t, [a, b], id, null, "what a ended is dead everywhere");
    const third = await b.update(shared.id, { data: someData(t), expectedVersion: 3 });
    await expectWithinBound(t, [b, a], shared.id, third, "a sees what b wrote last");
    t.step("node a has Redis again");
    await outage.heal();
    // Whatever a has kept for Redis is told by now, and b's newer writes came before.
    await untilBackOnRedis(t, [a, b]);
    await expectWithinBound(
      t,
      [b, a],
      shared.id,
      third,
      "after the partition both read the newest",
    );
    const fourth = await a.update(shared.id, { data: someData(t), expectedVersion: 4 });
    await expectWithinBound(t, [a, b], shared.id, fourth, "and what a writes then");
    await expectWithinBound(t, [a, b], ended.id, null, "what was ended stays dead");
    t.equal((await b.get(rotated.id))?.userId, moved.userId, "the rotated session lives on b");
  },
});
