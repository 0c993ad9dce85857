/** The guide's caching layer, step by step, on Redis and PostgreSQL. */
import { openEngines } from "@db-katas/engines";
import { Redis } from "ioredis";
import pg from "pg";
import { expect, test } from "vitest";

test("a reader of cache-aside puts the old row back after the update has deleted it", async () => {
  await using run = await openEngines();
  await using database = await run.lease("postgres");
  await using cache = await run.lease("redis");
  const client = new pg.Client(await database.urlFor("a"));
  await client.connect();
  const redis = new Redis(await cache.urlFor("a"));
  const TTL_S = 3_600;
  try {
    await client.query("CREATE TABLE users (id int PRIMARY KEY, name text)");
    await client.query("INSERT INTO users VALUES (1, 'old')");
    // get_user() misses, and reads the row.
    expect(await redis.get("user:1")).toBeNull();
    const { rows } = await client.query("SELECT * FROM users WHERE id = 1");
    // Meanwhile update_user() does both of its steps.
    await client.query("UPDATE users SET name = 'new' WHERE id = 1");
    await redis.del("user:1");
    // get_user() goes on.
    await redis.setex("user:1", TTL_S, JSON.stringify(rows[0]));
    expect(JSON.parse((await redis.get("user:1")) ?? "")).toEqual({ id: 1, name: "old" });
    expect(await redis.ttl("user:1")).toBeGreaterThan(TTL_S - 60);
  } finally {
    redis.disconnect();
    await client.end();
  }
});
