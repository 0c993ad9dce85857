/** The protocol of the cache on a real Redis, one interleaving at a time. */
import type { Lease } from "@db-katas/engines";
import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { restart } from "@db-katas/engines/faults/restart";
import { Redis } from "ioredis";
import { afterAll, expect, test } from "vitest";
import { timingOf } from "../src/config.ts";
import { hexHashOf } from "../src/ids.ts";
import { SessionCache } from "../src/redis/cache.ts";
import { RedisLink } from "../src/redis/link.ts";
import { closeEngines, engines, eventually, timed } from "./cluster.ts";

const timing = timingOf({
  name: "a",
  stores: { kind: "polyglot", postgres: "", redis: "" },
  requestBudgetMs: 400,
  stalenessBoundMs: 500,
});
/** Where a test doesn't measure time, a busy machine shall not decide it. */
const patient = { ...timing, redisCommandMs: 2_000, redisConnectMs: 2_000 };
const hash = hexHashOf("somebody's");
const session = { userId: "ada", data: { n: 1 }, version: 1, expiresAt: Date.now() + 60_000 };
const newer = { ...session, data: { n: 2 }, version: 2 };
const LONG = 60_000;

afterAll(closeEngines);

interface Opened extends AsyncDisposable {
  readonly cache: SessionCache;
  readonly link: RedisLink;
  readonly redis: Lease;
  readonly lost: () => number;
}

async function openCache(limits = patient): Promise<Opened> {
  const redis = await (await engines()).lease("redis", { isolation: "instance" });
  let lost = 0;
  const link = new RedisLink(
    await redis.urlFor("a"),
    limits,
    () => lost++,
    () => {},
  );
  await link.open();
  return {
    cache: new SessionCache(link, limits),
    link,
    redis,
    lost: () => lost,
    async [Symbol.asyncDispose]() {
      link.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function flush(redis: Lease): Promise<void> {
  const admin = new Redis(redis.adminUrl);
  await admin.flushall();
  admin.disconnect();
}

/** How often the server was asked to do that. */
async function countOf(redis: Lease, command: string): Promise<number> {
  const admin = new Redis(redis.adminUrl);
  const stats = await admin.info("commandstats");
  admin.disconnect();
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
}

test("the first reader that misses fills, the others wait for it", async () => {
  await using opened = await openCache();
  const { cache } = opened;
  const { lease } = await cache.read(hash, 1);
  expect(await cache.read(hash, 1)).toEqual({});
  if (!lease) throw new TypeError("The first reader got no lease.");
  await cache.fill(lease, { session, epoch: 3 }, LONG);
  expect(await cache.read(hash, 1)).toEqual({ hit: session });
  expect(await cache.read(hash, 3)).toEqual({ hit: session });
});

test("what is tagged with an epoch below the known one is not served, and can be replaced", async () => {
  await using opened = await openCache();
  const { cache } = opened;
  const { lease } = await cache.read(hash, 3);
  if (lease) await cache.fill(lease, { session, epoch: 3 }, LONG);
  const { hit, lease: next } = await cache.read(hash, 4);
  expect(hit).toBeUndefined();
  if (!next) throw new TypeError("There is no lease to replace it.");
  await cache.fill(next, { session: newer, epoch: 4 }, LONG);
  expect(await cache.read(hash, 4)).toEqual({ hit: newer });
});

test("reads that begin together share commands, and each gets its own answer", async () => {
  await using opened = await openCache();
  const { cache, redis } = opened;
  const hashes = Array.from({ length: 200 }, (_, n) => hexHashOf(`user ${n}`));
  const readAll = () => Promise.all(hashes.map((one) => cache.read(one, 1)));
  // Everything is missed. Of two readers of one session in a turn, one gets the lease.
  const [missed, [first, second]] = await Promise.all([
    readAll(),
    Promise.all([cache.read(hash, 1), cache.read(hash, 1)]),
  ]);
  expect([first?.lease, second?.lease].filter(Boolean)).toHaveLength(1);
  for (const [n, { lease }] of missed.entries()) {
    if (!lease) throw new TypeError(`Session ${n} has no lease.`);
    const data = { n };
    if (n % 2) await cache.fill(lease, { session: { ...session, data }, epoch: 1 }, LONG);
  }
  const commands = () => countOf(redis, "mget");
  const before = await commands();
  for (const [n, { hit, lease }] of (await readAll()).entries()) {
    expect(hit?.data).toEqual(n % 2 ? { n } : undefined);
    expect(lease).toBeUndefined();
  }
  expect((await commands()) - before).toBe(13);
});

test("a fill from before a write comes too late: during the fence, and after it", async () => {
  await using opened = await openCache();
  const { cache } = opened;
  const { lease } = await cache.read(hash, 1);
  const fence = await cache.fence(hash);
  if (!lease || !fence) throw new TypeError("unreachable");
  await cache.fill(lease, { session, epoch: 1 }, LONG);
  expect(await cache.read(hash, 1)).toEqual({});
  expect(await cache.release(fence, { session: undefined, epoch: 1 }, 0)).toBe(true);
  await cache.fill(lease, { session, epoch: 1 }, LONG);
  expect((await cache.read(hash, 1)).hit).toBeUndefined();
});

test("a write stores its outcome when it was alone", async () => {
  await using opened = await openCache();
  const { cache } = opened;
  const fence = await cache.fence(hash);
  if (!fence) throw new TypeError("unreachable");
  expect(await cache.release(fence, { session: newer, epoch: 1 }, LONG)).toBe(true);
  expect(await cache.read(hash, 1)).toEqual({ hit: newer });
});

test("of writers that overlap none stores, in whatever order they end", async () => {
  await using opened = await openCache();
  const { cache } = opened;
  const first = await cache.fence(hash);
  const second = await cache.fence(hash);
  if (!first || !second) throw new TypeError("unreachable");
  expect(await cache.release(second, { session: newer, epoch: 1 }, LONG)).toBe(true);
  expect(await cache.read(hash, 1)).toEqual({});
  expect(await cache.release(first, { session, epoch: 1 }, LONG)).toBe(true);
  const { hit, lease } = await cache.read(hash, 1);
  expect(hit).toBeUndefined();
  expect(lease).toBeDefined();
});

test("a fence that went away is noticed: flushed, or gone with the server", async () => {
  await using opened = await openCache();
  const { cache, redis } = opened;
  const flushed = await cache.fence(hash);
  await flush(redis);
  if (!flushed) throw new TypeError("unreachable");
  expect(await cache.release(flushed, { session, epoch: 1 }, LONG)).toBe(false);
  const kept = await cache.fence(hash);
  await redis.inject(restart);
  await eventually(5_000, async () => cache.up, Boolean);
  if (!kept) throw new TypeError("unreachable");
  expect(await cache.release(kept, { session, epoch: 1 }, LONG)).toBe(false);
});

test("a restarted server is a new one, even with its old data", async () => {
  await using opened = await openCache();
  const { cache, redis, lost } = opened;
  const { lease } = await cache.read(hash, 1);
  if (lease) await cache.fill(lease, { session, epoch: 1 }, LONG);
  expect((await cache.read(hash, 1)).hit).toEqual(session);
  await redis.inject(restart);
  const up = await eventually(5_000, async () => lost() > 0 && cache.up, Boolean);
  expect(up).toBe(true);
  expect((await cache.read(hash, 1)).hit).toBeUndefined();
});

test.each([kill, pause])(
  "$name: the link goes down within a few commands and comes up again",
  async (fault) => {
    await using opened = await openCache(timing);
    const { cache, link, redis } = opened;
    const active = await redis.inject(fault);
    for (let i = 0; i < 3; i++) {
      const { ms } = await timed(() => cache.read(hash, 1));
      expect(ms).toBeLessThan(timing.redisCommandMs + 200);
    }
    expect(link.connection).toBeUndefined();
    const { answer, ms } = await timed(() => cache.fence(hash));
    expect(answer).toBeUndefined();
    expect(ms).toBeLessThan(20);
    await active.heal();
    expect(await eventually(5_000, async () => cache.up, Boolean)).toBe(true);
    expect(await cache.fence(hash)).toBeDefined();
  },
);
