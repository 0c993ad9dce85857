import { expect, test } from "vitest";
import { Pool } from "../src/pool.ts";

test("who comes first is served first, and the pool fills up behind", async () => {
  let made = 0;
  const pool = new Pool(async () => ++made, 2, 1);
  expect(await Promise.all([pool.take(), pool.take(), pool.take()])).toEqual([1, 2, 3]);
  await pool.close();
  expect(made).toBe(3 + 1);
});

test("of size 0 it makes only what is asked for", async () => {
  let made = 0;
  const pool = new Pool(async () => ++made, 0);
  await Promise.all([pool.take(), pool.take()]);
  await pool.close();
  expect(made).toBe(2);
});

test("a failure reaches somebody who waits, and doesn't spin when nobody does", async () => {
  let attempts = 0;
  const pool = new Pool<string>(
    async () => {
      attempts += 1;
      throw new Error("no room");
    },
    3,
    1,
  );
  await expect(pool.take()).rejects.toThrow("no room");
  await pool.close();
  expect(attempts).toBeLessThanOrEqual(2);
});
