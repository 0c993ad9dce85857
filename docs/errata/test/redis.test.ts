/** What Redis, and the client that this repository uses for it, say to the guides. */
import { openEngines } from "@db-katas/engines";
import * as ioredis from "ioredis";
import { expect, test } from "vitest";

test("a lock in Redis that ends before its holder has two holders, and the first frees the second's", async () => {
  await using run = await openEngines();
  await using lease = await run.lease("redis");
  const redis = new ioredis.Redis(await lease.urlFor("a"));
  try {
    const lock = (holder: string, ms: number) => redis.set("lock", holder, "PX", ms, "NX");
    expect(await lock("first", 60_000)).toBe("OK");
    expect(await lock("second", 60_000)).toBeNull();
    // The first one is stalled for longer than its lock lasts.
    await redis.pexpire("lock", 1);
    await expect.poll(() => redis.exists("lock")).toBe(0);
    expect(await lock("second", 60_000)).toBe("OK");
    // It wakes, does what it meant to do, and tidies up.
    await redis.del("lock");
    expect(await lock("third", 60_000)).toBe("OK");
  } finally {
    redis.disconnect();
  }
});

test("ioredis has no RedisConnectionError", () => {
  expect(Object.keys(ioredis)).toContain("ReplyError");
  expect(Object.keys(ioredis)).not.toContain("RedisConnectionError");
});
