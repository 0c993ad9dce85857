import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { restart } from "@db-katas/engines/faults/restart";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import { afterAll, describe, expect, test } from "vitest";
import {
  BUDGET_MS,
  closeEngines,
  codeOf,
  eventually,
  openCluster,
  SLACK_MS,
  STALENESS_MS,
  submissions,
  timed,
} from "./cluster.ts";

const input = { userId: "ada", device: "phone", data: { cart: ["tea"] }, ttlMs: 60_000 };
const WITHIN_S = STALENESS_MS + SLACK_MS;

afterAll(closeEngines);

describe.each(Object.keys(submissions))("%s", (name) => {
  test("what one node writes, the other reads", async () => {
    await using cluster = await openCluster(name);
    const { a, b } = cluster;
    const created = await a.create({ ...input, data: { text: "\u0000\ud800", z: 1, a: null } });
    expect(created).toMatchObject({ userId: "ada", version: 1, data: { text: "\u0000\ud800" } });
    expect(created.id).toMatch(/^[\w-]{22,}$/);
    expect(await b.get(created.id)).toEqual(created);

    const updated = await b.update(created.id, { data: { n: 2 }, expectedVersion: 1 });
    expect(updated).toEqual({ ...created, version: 2, data: { n: 2 } });
    expect(await a.get(created.id)).toEqual(updated);
    expect(await codeOf(a.update(created.id, { data: {}, expectedVersion: 1 }))).toBe(
      "VERSION_CONFLICT",
    );

    const touched = await a.touch(created.id, 120_000);
    expect(touched).toEqual({ ...updated, expiresAt: expect.any(Number) });
    expect(touched.expiresAt).toBeGreaterThan(updated.expiresAt + 50_000);
    expect(await b.get(created.id)).toEqual(touched);

    const rotated = await b.rotate(created.id);
    expect(rotated).toEqual({ ...touched, id: expect.any(String) });
    expect(rotated.id).not.toBe(created.id);
    for (const node of [a, b]) {
      expect(await node.get(created.id)).toBeNull();
      expect(await node.get(rotated.id)).toEqual(rotated);
      expect(await codeOf(node.rotate(created.id))).toBe("NOT_FOUND");
    }

    await a.destroy(rotated.id);
    await a.destroy(rotated.id);
    expect(await b.get(rotated.id)).toBeNull();
    expect(await codeOf(b.update(rotated.id, { data: {}, expectedVersion: 2 }))).toBe("NOT_FOUND");
    expect(await codeOf(b.touch(rotated.id, 1_000))).toBe("NOT_FOUND");
    expect(await b.get("nonsense")).toBeNull();
  });

  test("devices: listed oldest first, ended all at once", async () => {
    await using cluster = await openCluster(name);
    const { a, b } = cluster;
    const devices = ["phone", "laptop", "tablet"];
    const sessions = [];
    for (const device of devices) sessions.push(await a.create({ ...input, device }));
    const other = await a.create({ ...input, userId: "grace" });
    expect((await b.list("ada")).map((one) => one.device)).toEqual(devices);
    expect(await b.destroyAll("ada")).toBe(3);
    expect(await a.destroyAll("ada")).toBe(0);
    for (const { id } of sessions) expect(await a.get(id)).toBeNull();
    expect(await a.list("ada")).toEqual([]);
    expect(await b.get(other.id)).toEqual(other);
  });

  test("of writers that race, one wins each version, and touching loses no data", async () => {
    await using cluster = await openCluster(name);
    const { a, b } = cluster;
    const { id } = await a.create(input);
    for (let version = 1; version <= 20; version++) {
      const results = await Promise.allSettled([
        a.update(id, { data: { by: "a", version }, expectedVersion: version }),
        b.touch(id, 60_000),
        b.update(id, { data: { by: "b", version }, expectedVersion: version }),
        a.get(id),
      ]);
      const won = [results[0], results[2]].flatMap((one) =>
        one?.status === "fulfilled" ? [one.value] : [],
      );
      expect(won).toHaveLength(1);
      for (const node of [a, b]) {
        expect(await node.get(id)).toMatchObject({ version: version + 1, data: won[0]?.data });
      }
    }
  });

  test("Redis is killed: no session and no write is lost, and it fails back", async () => {
    await using cluster = await openCluster(name);
    const { a, b, redis } = cluster;
    const session = await a.create(input);
    await b.get(session.id);
    const fault = await redis.inject(kill);
    expect(await a.get(session.id)).toEqual(session);
    await a.update(session.id, { data: { n: 2 }, expectedVersion: 1 });
    const during = await b.create(input);
    await fault.heal();
    for (const node of [a, b]) {
      const seen = await eventually(
        WITHIN_S,
        () => node.get(session.id),
        (it) => it?.version === 2,
      );
      expect(seen).toMatchObject({ version: 2, data: { n: 2 } });
      expect(await node.get(during.id)).toEqual(during);
    }
  });

  test("Redis is paused: each call keeps its budget, and the newest write wins afterwards", async () => {
    await using cluster = await openCluster(name);
    const { a, b, redis } = cluster;
    const session = await a.create(input);
    await Promise.all([a.get(session.id), b.get(session.id)]);
    const fault = await redis.inject(pause);
    for (let version = 1; version <= 10; version++) {
      const written = await timed(() =>
        a.update(session.id, { data: { version }, expectedVersion: version }),
      );
      const read = await timed(() => a.get(session.id));
      expect(written.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
      expect(read.ms).toBeLessThan(BUDGET_MS + SLACK_MS);
      expect(read.answer?.version).toBe(version + 1);
    }
    const dead = await a.create(input);
    await a.destroy(dead.id);
    await fault.heal();
    for (const node of [a, b]) {
      const seen = await eventually(
        WITHIN_S,
        () => node.get(session.id),
        (it) => it?.version === 11,
      );
      expect(seen).toMatchObject({ version: 11, data: { version: 10 } });
      expect(await node.get(dead.id)).toBeNull();
    }
  });

  test.each([kill, pause] as const)("logged out during $name: dead for ever", async (fault) => {
    await using cluster = await openCluster(name);
    const { a, b, redis } = cluster;
    const sessions = [];
    for (let i = 0; i < 4; i++) sessions.push(await a.create(input));
    const [destroyed, rotated, ...all] = sessions.map((session) => session.id);
    if (!destroyed || !rotated) throw new TypeError("unreachable");
    for (const { id } of sessions) await Promise.all([a.get(id), b.get(id)]);
    const active = await redis.inject(fault);
    await a.destroy(destroyed);
    const fresh = await a.rotate(rotated);
    expect(await a.destroyAll("ada")).toBe(3);
    await active.heal();
    for (const node of [a, b]) {
      for (const id of [destroyed, rotated, fresh.id, ...all]) {
        expect(
          await eventually(
            WITHIN_S,
            () => node.get(id),
            (it) => it === null,
          ),
        ).toBeNull();
      }
    }
    // Long enough for everything that was under way to arrive.
    await eventually(
      500,
      async () => {
        for (const node of [a, b]) expect(await node.get(destroyed)).toBeNull();
      },
      () => false,
    );
  });

  test.each([restart, restartEmpty] as const)("$name of Redis logs nobody out", async (fault) => {
    await using cluster = await openCluster(name);
    const { a, b, redis } = cluster;
    const session = await a.create(input);
    await b.get(session.id);
    await redis.inject(fault);
    expect(await a.get(session.id)).toEqual(session);
    expect(await b.get(session.id)).toEqual(session);
    const next = await b.update(session.id, { data: {}, expectedVersion: 1 });
    expect(await a.get(session.id)).toEqual(next);
  });

  test("one node cut off from Redis: the other sees its writes within S", async () => {
    await using cluster = await openCluster(name);
    const { a, b, redis } = cluster;
    const [kept, ended] = [await a.create(input), await a.create(input)];
    for (const { id } of [kept, ended]) await Promise.all([a.get(id), b.get(id)]);
    const fault = await redis.inject(blackHole, { nodes: ["a"] });
    await a.update(kept.id, { data: { n: 2 }, expectedVersion: 1 });
    await a.destroy(ended.id);
    expect((await a.get(kept.id))?.version).toBe(2);
    expect(await a.get(ended.id)).toBeNull();
    const seen = await eventually(
      WITHIN_S,
      () => b.get(kept.id),
      (it) => it?.version === 2,
    );
    expect(seen?.data).toEqual({ n: 2 });
    expect(
      await eventually(
        WITHIN_S,
        () => b.get(ended.id),
        (it) => it === null,
      ),
    ).toBeNull();
    // And the other way round: what the connected node writes is seen by the one without Redis.
    await b.update(kept.id, { data: { n: 3 }, expectedVersion: 2 });
    expect((await a.get(kept.id))?.version).toBe(3);
    await fault.heal();
    expect((await a.get(kept.id))?.version).toBe(3);
  });

  test("both stores hang: a clear error in time, and no answer out of thin air", async () => {
    await using cluster = await openCluster(name, { postgres: "instance" });
    const { a, redis, postgres } = cluster;
    const session = await a.create(input);
    await a.get(session.id);
    const faults = [await redis.inject(pause), await postgres.inject(pause)];
    const calls = [
      () => a.get(session.id),
      () => a.create(input),
      () => a.update(session.id, { data: {}, expectedVersion: 1 }),
      () => a.destroy(session.id),
      () => a.list("ada"),
    ];
    for (const call of calls) {
      const { answer, ms } = await timed(() => codeOf(call()));
      expect(answer).toBe("STORE_UNAVAILABLE");
      expect(ms).toBeLessThan(BUDGET_MS + SLACK_MS);
    }
    for (const fault of faults) await fault.heal();
    const code = await eventually(
      5_000,
      () => codeOf(a.list("ada")),
      (it) => it === undefined,
    );
    expect(code).toBeUndefined();
  });

  test("PostgreSQL restarts: nodes find their way back", async () => {
    await using cluster = await openCluster(name, { postgres: "instance" });
    const { a, b, postgres } = cluster;
    const session = await a.create(input);
    await b.get(session.id);
    await postgres.inject(restart);
    for (const node of [a, b]) {
      const code = await eventually(
        5_000,
        () => codeOf(node.list("ada")),
        (it) => it === undefined,
      );
      expect(code).toBeUndefined();
      expect(await node.get(session.id)).toEqual(session);
    }
  });

  test("a session ends on time on every tier, and touching puts that off", async () => {
    await using cluster = await openCluster(name);
    const { a, b } = cluster;
    const [short, long] = [
      await a.create({ ...input, ttlMs: 700 }),
      await a.create({ ...input, ttlMs: 700 }),
    ];
    const { expiresAt } = await b.touch(long.id, 60_000);
    expect(expiresAt).toBeGreaterThan(long.expiresAt + 50_000);
    expect(await b.get(short.id)).toEqual(short);
    const ended = await eventually(
      700 + SLACK_MS,
      () => b.get(short.id),
      (it) => it === null,
    );
    expect(ended).toBeNull();
    expect(await a.get(short.id)).toBeNull();
    expect(await codeOf(a.touch(short.id, 60_000))).toBe("NOT_FOUND");
    expect(await a.get(long.id)).toMatchObject({ version: 1, expiresAt });
    expect(await a.list("ada")).toHaveLength(1);
  });
});
