/** What the reference promises beyond the contract, driven through exact interleavings. */
import type { Lease } from "@db-katas/engines";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import reference from "../src/index.ts";
import { closeEngines, codeOf, engines, eventually, openCluster, STALENESS_MS } from "./cluster.ts";
import { openNodes } from "./nodes.ts";

const input = { userId: "ada", device: "phone", data: { n: 1 }, ttlMs: 60_000 };

afterAll(closeEngines);

async function admin(postgres: Lease): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: postgres.adminUrl });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Resolves when that many statements of nodes wait for a lock. */
async function untilBlocked(client: pg.Client, calls = 1): Promise<void> {
  const waiting = await eventually(
    5_000,
    async () => {
      const { rowCount } = await client.query(
        "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      );
      return rowCount ?? 0;
    },
    (count) => count >= calls,
  );
  expect(waiting).toBe(calls);
}

test("Redis serves while PostgreSQL is away, for less than S; then reads fail closed", async () => {
  await using cluster = await openCluster("reference", { postgres: "instance" });
  const { a, postgres } = cluster;
  const session = await a.create(input);
  const known = performance.now();
  expect(await a.get(session.id)).toEqual(session);
  await using _outage = await postgres.inject(kill);
  const served = await codeOf(a.get(session.id));
  // On a busy machine the kill itself may have taken longer than S.
  if (performance.now() - known < STALENESS_MS / 2) expect(served).toBeUndefined();
  const from = performance.now();
  const code = await eventually(STALENESS_MS + 500, () => codeOf(a.get(session.id)), Boolean);
  expect(code).toBe("STORE_UNAVAILABLE");
  expect(performance.now() - from).toBeLessThan(STALENESS_MS + 500);
});

test("a write that PostgreSQL receives after its deadline is not done", async () => {
  await using cluster = await openCluster("reference", { postgres: "instance" });
  const { a, b, postgres } = cluster;
  const [updated, destroyed] = [await a.create(input), await a.create(input)];
  const outage = await postgres.inject(pause);
  const codes = await Promise.all([
    codeOf(a.update(updated.id, { data: { n: 2 }, expectedVersion: 1 })),
    codeOf(a.destroy(destroyed.id)),
  ]);
  expect(codes).toEqual(["STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
  await outage.heal();
  for (const node of [a, b]) {
    await eventually(
      5_000,
      () => codeOf(node.get(updated.id)),
      (code) => code === undefined,
    );
    expect(await node.get(updated.id)).toEqual(updated);
    expect(await node.get(destroyed.id)).toEqual(destroyed);
  }
  // The statements that were in its socket all along have run by now.
  await using client = await admin(postgres);
  const { rows } = await client.query("SELECT version FROM sessions");
  expect(rows).toEqual([{ version: 1 }, { version: 1 }]);
});

test("a fence that is lost while the write is under way: nobody keeps the old state", async () => {
  await using cluster = await openCluster("reference");
  const { a, b, postgres, redis } = cluster;
  const session = await a.create(input);
  expect(await b.get(session.id)).toEqual(session);
  await using client = await admin(postgres);
  await client.query("BEGIN");
  await client.query("SELECT FROM sessions FOR UPDATE");
  const update = a.update(session.id, { data: { n: 2 }, expectedVersion: 1 });
  await untilBlocked(client);
  const cache = new Redis(redis.adminUrl);
  await cache.flushall();
  cache.disconnect();
  // Reads the old row, rightly so, and fills the cache with it.
  expect(await b.get(session.id)).toEqual(session);
  expect(await b.get(session.id)).toEqual(session);
  await client.query("COMMIT");
  await update;
  expect((await a.get(session.id))?.version).toBe(2);
  const seen = await eventually(
    STALENESS_MS,
    () => b.get(session.id),
    (it) => it?.version === 2,
  );
  expect(seen?.version).toBe(2);
});

test("ending all of a user's sessions ends the one whose rotation it has to wait for", async () => {
  await using nodes = await openNodes();
  const { a, b, postgres } = nodes;
  const session = await a.create(input);
  await using client = await admin(postgres);
  await client.query("BEGIN");
  await client.query("SELECT FROM sessions FOR UPDATE");
  const rotation = a.rotate(session.id);
  await untilBlocked(client);
  const end = b.destroyAll(session.userId);
  await untilBlocked(client, 2);
  await client.query("COMMIT");
  const rotated = await rotation;
  expect(await end).toBe(1);
  for (const node of [a, b]) expect(await node.get(rotated.id)).toBeNull();
  expect(await b.list(session.userId)).toEqual([]);
});

test("a node opens without its stores, says so, and works when they appear", async () => {
  await using cluster = await openCluster("reference", { postgres: "instance" });
  const { postgres, redis } = cluster;
  const outages = [await postgres.inject(kill), await redis.inject(kill)];
  const node = await reference.createNode({
    name: "c",
    stores: {
      kind: "polyglot",
      postgres: await postgres.urlFor("c"),
      redis: await redis.urlFor("c"),
    },
    requestBudgetMs: 300,
    stalenessBoundMs: 500,
  });
  expect(await codeOf(node.create(input))).toBe("STORE_UNAVAILABLE");
  for (const outage of outages) await outage.heal();
  const code = await eventually(
    5_000,
    () => codeOf(node.create(input)),
    (it) => it === undefined,
  );
  expect(code).toBeUndefined();
  await node.close();
  expect(await codeOf(node.list("ada"))).toBe("STORE_UNAVAILABLE");
});

test("sessions that ended long ago are removed as new ones are created", async () => {
  await using cluster = await openCluster("reference");
  const { a, postgres } = cluster;
  await using client = await admin(postgres);
  const ended = await a.create(input);
  await client.query("UPDATE sessions SET expires_at = now() - interval '2 hours'");
  expect(await a.list("ada")).toEqual([]);
  for (let i = 0; i < 256; i++) await a.create({ ...input, userId: "grace" });
  const left = await eventually(
    5_000,
    async () => (await client.query("SELECT FROM sessions WHERE user_id = 'ada'")).rowCount,
    (count) => count === 0,
  );
  expect(left).toBe(0);
  expect(await codeOf(a.touch(ended.id, 1_000))).toBe("NOT_FOUND");
});

test("processes that migrate at the same time don't disturb each other", async () => {
  await using postgres = await (await engines()).lease("postgres");
  const store = { kind: "polyglot", postgres: await postgres.urlFor("a") } as const;
  await Promise.all(Array.from({ length: 5 }, () => reference.migrate(store)));
  await using client = await admin(postgres);
  const { rows } = await client.query("SELECT value FROM cache_epoch");
  expect(rows).toHaveLength(1);
});

test("wrong arguments are the caller's error and reach no store", async () => {
  await using cluster = await openCluster("reference");
  const { a } = cluster;
  const { id } = await a.create(input);
  await expect(a.create({ ...input, ttlMs: 0 })).rejects.toThrow(RangeError);
  await expect(a.touch(id, Number.NaN)).rejects.toThrow(RangeError);
  await expect(a.create({ ...input, userId: "a\0b" })).rejects.toThrow(TypeError);
});
