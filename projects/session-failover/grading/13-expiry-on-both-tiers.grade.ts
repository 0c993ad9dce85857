import { kill } from "@db-katas/engines/faults/kill";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import pg from "pg";
import type { Session } from "../contract.ts";
import { check, expectRead, readThrough, SLACK_MS, sessionInput, startTwoNodes } from "./kit.ts";

const TTL_MS = 1_500;
/** What people call "remember me": more milliseconds than 32 bits hold. */
const MONTH_MS = 30 * 24 * 60 * 60 * 1_000;
/** How far an end may be off for being rounded, in milliseconds; whole seconds are too coarse. */
const ROUNDING_MS = 50;

export default check({
  title: "a session ends when it should, on whichever tier it is read",
  points: 4,
  concept: "expiry",
  traps: ["expiry-not-carried-over", "touch-throttled"],
  engines: { postgres: {}, redis: { faults: [kill, restartEmpty] } },
  nodes: ["a", "b"],
  dependsOn: ["roundtrip"],
  hints: [
    "Which of get, touch, list, update and rotate ask whether the session's time is up, and whom?",
    "Does a touch always move the end to ttlMs from now, also by a little, or back?",
    "When a session is copied from PostgreSQL to Redis, how long does the copy live?",
    "Three clocks (yours, Redis', PostgreSQL's) give three answers. Let one of them decide, and carry what is left over to the other.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const long = await a.create(sessionInput(t));
    t.step("the end is where a create or a touch put it, and nothing else moves it");
    const postgres = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
    await postgres.connect();
    const clock = async () => {
      const sql = "select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms";
      return (await postgres.query<{ ms: number }>(sql)).rows[0]?.ms ?? Number.NaN;
    };
    const endsIn = async (ttlMs: number, what: string, call: () => Promise<Session>) => {
      const earliest = (await clock()) + ttlMs - ROUNDING_MS;
      const session = await call();
      const latest = (await clock()) + ttlMs + ROUNDING_MS;
      const { expiresAt } = session;
      t.ok(earliest <= expiresAt && expiresAt <= latest, `${what} ends a session ttlMs from now`, {
        expected: `an expiresAt between ${earliest} and ${latest}, by PostgreSQL's clock`,
        received: String(expiresAt),
      });
      for (const node of [a, b]) await expectRead(t, node, session.id, { expiresAt }, what);
      return session;
    };
    try {
      const { id } = await endsIn(60_000, "create()", () => a.create(sessionInput(t, 60_000)));
      for (const ttlMs of [65_000, 50_000, MONTH_MS])
        await endsIn(ttlMs, "touch()", () => b.touch(id, ttlMs));
      const touched = await a.touch(id, 70_000);
      const updated = await b.update(id, { data: {}, expectedVersion: 1 });
      t.equal(updated.expiresAt, touched.expiresAt, "update() leaves the expiry alone");
      const rotated = await a.rotate(id);
      t.equal(rotated.expiresAt, touched.expiresAt, "rotate() leaves the expiry alone");
      const [device] = await b.list(touched.userId);
      t.equal(device?.expiresAt, touched.expiresAt, "list() tells the same");
    } finally {
      await postgres.end();
    }
    t.step("a short session, copied back into an empty Redis by reads");
    await t.inject("redis", restartEmpty);
    const slid = await b.create(sessionInput(t, TTL_MS));
    await b.touch(slid.id, 60_000);
    await readThrough(slid.id, a, b);
    // On a busy machine its time may be up before it can be seen to live.
    const opened = async () => {
      const before = performance.now();
      const { id, userId } = await a.create(sessionInput(t, TTL_MS));
      const lives = async (what: string) => {
        const seen = await b.get(id);
        if (performance.now() < before + TTL_MS) t.equal(seen?.id, id, what);
      };
      await readThrough(id, b, a);
      return { id, userId, lives };
    };
    const short = await opened();
    await short.lives("it lives before its time is up");
    for (const node of [a, b]) {
      await t.eventually(
        TTL_MS + SLACK_MS,
        () => node.get(short.id),
        (session) => session === null,
        "it is over when its time is up",
        "null",
      );
    }
    await t.rejects(
      b.touch(short.id, 60_000),
      "NOT_FOUND",
      "an expired session can't be touched to life",
    );
    const late = { data: {}, expectedVersion: 1 };
    await t.rejects(a.update(short.id, late), "NOT_FOUND", "an expired session can't be updated");
    await t.rejects(b.rotate(short.id), "NOT_FOUND", "an expired session can't be rotated");
    t.equal(await a.list(short.userId), [], "an expired session is not listed");
    t.equal(await a.destroyAll(short.userId), 0, "nor counted by destroyAll()");
    t.equal((await a.get(slid.id))?.id, slid.id, "the touched one lives on");

    t.step("the same while Redis is down");
    const other = await opened();
    const outage = await t.inject("redis", kill);
    await other.lives("the outage ends no session early");
    await t.eventually(
      TTL_MS + SLACK_MS,
      () => b.get(other.id),
      (session) => session === null,
      "it is over when its time is up, also without Redis",
      "null",
    );
    await outage.heal();
    t.equal(await a.get(other.id), null, "and stays over when Redis is back");
    t.equal((await b.get(long.id))?.id, long.id, "a long session outlives all of this");
  },
});
