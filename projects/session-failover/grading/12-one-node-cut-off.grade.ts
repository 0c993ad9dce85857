import { setTimeout as wait } from "node:timers/promises";
import { blackHole } from "@db-katas/engines/faults/blackHole";
import type { Session, SessionNode } from "../contract.ts";
import {
  check,
  expectWithinBound,
  readThrough,
  sessionInput,
  someData,
  startTwoNodes,
} from "./kit.ts";
import { untilBackOnRedis } from "./outage.ts";

/** One of these is S: short, and drawn in each run, so that who has a constant for it is too late. */
const STALENESS_MS = [200, 250, 300];
/** Beyond S, for a machine that is late itself, in milliseconds. */
const QUIET_MS = 150;

/** Sessions of each kind. */
const EACH = 3;

export default check({
  title: "when one node alone is cut off from Redis, both still see each other's writes within S",
  points: 5,
  concept: "split brain",
  traps: ["each-node-chooses-its-tier", "staleness-of-its-own"],
  engines: { postgres: {}, redis: { faults: [blackHole] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "For b, Redis is in perfect health. How would it learn that a could not tell Redis something?",
    "Both nodes reach PostgreSQL. What would a have to leave there, and how often must b look?",
    "A node may trust what Redis says only as long as it knows, from less than S ago, that nobody wrote past it.",
  ],
  async run(t) {
    const stalenessMs = t.random.pick(STALENESS_MS);
    const [a, b] = await startTwoNodes(t, undefined, stalenessMs);
    const expectSeen = (
      nodes: readonly SessionNode[],
      id: string,
      wanted: Session | null,
      what: string,
    ) => expectWithinBound(t, nodes, id, wanted, what, { stalenessMs });
    const several = (node: SessionNode) =>
      Promise.all(Array.from({ length: EACH }, () => node.create(sessionInput(t))));
    const shared = await several(a);
    const ended = await several(a);
    const left = await several(a);
    const moved = await several(b);
    const cachedOnB = async (sessions: readonly Session[]) => {
      // On a busy machine b may just have lost faith in Redis, and would learn too much.
      await untilBackOnRedis(t, [b], ["b"]);
      for (const { id } of sessions) await readThrough(id, b);
    };
    // Nobody asks b meanwhile: it has to know by itself that it can't know. Its first answer on each
    // session counts, for who asks twice needs only one slow moment of Redis to get it right; and
    // there are several, one after the other, as one such moment may help with the first of them.
    const firstVersions = async (sessions: readonly Session[]) => {
      await wait(stalenessMs + QUIET_MS);
      const versions = [];
      for (const { id } of sessions) versions.push((await b.get(id))?.version ?? null);
      return versions;
    };
    for (const { id } of [...shared, ...ended, ...left, ...moved]) await readThrough(id, a);
    await cachedOnB(shared);
    t.step(`node a loses Redis (black hole); node b does not; S is ${stalenessMs} ms`);
    const outage = await t.inject("redis", blackHole, { nodes: ["a"] });
    const [first] = await Promise.all(
      shared.map(({ id }) => a.update(id, { data: someData(t), expectedVersion: 1 })),
    );
    t.equal(
      await firstVersions(shared),
      shared.map(() => 2),
      "b's first read after S sees what a wrote past Redis",
    );
    const [{ id }] = shared as [Session];
    await expectSeen([a, b], id, first as Session, "so do the reads after it");
    const second = await b.update(id, { data: someData(t), expectedVersion: 2 });
    await expectSeen([b, a], id, second, "a sees what b wrote");
    // Each of a's writes meets a session that b has every reason to serve from Redis.
    const over = [...ended, ...left, ...moved];
    await cachedOnB(over);
    for (const session of ended) await a.destroy(session.id);
    for (const { userId } of left) {
      t.equal(await a.destroyAll(userId), 1, "a ends all sessions of a user");
    }
    const rotated = [];
    for (const session of moved) rotated.push(await a.rotate(session.id));
    t.equal(
      await firstVersions(over),
      over.map(() => null),
      "what a destroyed, ended for a user and rotated away is dead on b within S",
    );
    for (const session of over)
      await expectSeen([a, b], session.id, null, "what a ended is dead everywhere");
    const third = await b.update(id, { data: someData(t), expectedVersion: 3 });
    await expectSeen([b, a], id, third, "a sees what b wrote last");
    t.step("node a has Redis again");
    await outage.heal();
    // Whatever a has kept for Redis is told by now, and b's newer writes came before.
    await untilBackOnRedis(t, [a, b]);
    await expectSeen([b, a], id, third, "after the partition both read the newest");
    const fourth = await a.update(id, { data: someData(t), expectedVersion: 4 });
    await expectSeen([a, b], id, fourth, "and what a writes then");
    for (const session of ended)
      await expectSeen([a, b], session.id, null, "what was ended stays dead");
    for (const [i, { userId }] of moved.entries()) {
      const session = await b.get(rotated[i]?.id ?? "");
      t.equal(session?.userId, userId, "the rotated session lives on b");
    }
  },
});
