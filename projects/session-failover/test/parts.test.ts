/** The parts that need no store. */
import { expect, test } from "vitest";
import { Calls } from "../src/calls.ts";
import { checkTtl, timingOf } from "../src/config.ts";
import { Deadline, within } from "../src/deadline.ts";
import { asSessionError, notFound, unavailable } from "../src/errors.ts";
import { hashOf, hexHashOf, isId, newId } from "../src/ids.ts";
import { ServerClock } from "../src/postgres/clock.ts";
import { codeOf } from "./cluster.ts";

const stores = { kind: "local", sqlite: "" } as const;
const never = (): Promise<never> => new Promise(() => {});

test("ids: 256 bits, no two alike, recognised without a store", () => {
  const ids = new Set(Array.from({ length: 1_000 }, newId));
  expect(ids.size).toBe(1_000);
  for (const id of ids) expect(Buffer.from(id, "base64url")).toHaveLength(32);
  expect(isId(newId())).toBe(true);
  for (const wrong of ["", "x", `${newId()}=`, `${newId().slice(1)} `, 7, null]) {
    expect(isId(wrong)).toBe(false);
  }
  expect(hashOf("a")).toHaveLength(32);
  expect(hashOf("a")).not.toEqual(hashOf("b"));
  expect(hexHashOf("a")).toBe(hashOf("a").toString("hex"));
});

test.each([20, 50, 400, 5_000])("a budget of %i ms leaves room for every step", (budget) => {
  const config = { name: "a", stores, requestBudgetMs: budget, stalenessBoundMs: 500 };
  const timing = timingOf(config);
  expect(timing.callMs).toBeLessThan(budget);
  expect(timing.callMs).toBeGreaterThanOrEqual(budget / 2);
  // Fence and release may both time out, and PostgreSQL still has most of the time.
  expect(2 * timing.redisCommandMs).toBeLessThan(timing.callMs * 0.55 + 10);
  expect(timing.fenceMs).toBeGreaterThan(2 * timing.callMs);
});

test("limits that can't be kept are refused", () => {
  const config = { name: "a", stores, requestBudgetMs: 400, stalenessBoundMs: 500 };
  expect(() => timingOf({ ...config, requestBudgetMs: 5 })).toThrow(RangeError);
  expect(() => timingOf({ ...config, stalenessBoundMs: 1_001 })).toThrow(RangeError);
  expect(() => checkTtl(-1)).toThrow(RangeError);
  expect(checkTtl(0.5)).toBe(1);
});

test("a call ends with its deadline, whatever its work does", async () => {
  expect(await codeOf(within(Deadline.in(10), never()))).toBe("STORE_UNAVAILABLE");
  expect(await within(Deadline.in(1_000), Promise.resolve(1))).toBe(1);
  expect(Deadline.in(-5).left).toBe(0);
});

test("errors: ours keep their code, strange ones become STORE_UNAVAILABLE, misuse stays misuse", async () => {
  const calls = new Calls(50);
  expect(await codeOf(calls.run(() => Promise.reject(notFound())))).toBe("NOT_FOUND");
  expect(await codeOf(calls.run(() => Promise.reject(new Error("?"))))).toBe("STORE_UNAVAILABLE");
  await expect(calls.run(() => Promise.reject(new RangeError("ttl")))).rejects.toThrow(RangeError);
  expect(asSessionError("text", "X")).toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(unavailable("m", "cause").cause).toBe("cause");
});

test("closing waits for what is under way, but not for ever, and refuses the rest", async () => {
  const calls = new Calls(50);
  let done = false;
  void calls.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    done = true;
  });
  calls.run(never).catch(() => {});
  await calls.end();
  expect(done).toBe(true);
  expect(await codeOf(calls.run(async () => 1))).toBe("STORE_UNAVAILABLE");
});

test("the server's clock lies between what its replies allow, and follows when it is set", () => {
  const clock = new ServerClock();
  expect(clock.known).toBe(false);
  // The truth: the server is 1,000 ms ahead.
  clock.observe(0, 100, 1_050);
  expect([clock.earliest(0), clock.latest(0)]).toEqual([950, 1_050]);
  clock.observe(200, 204, 1_202);
  expect(clock.latest(0) - clock.earliest(0)).toBeLessThanOrEqual(4.1);
  expect(clock.earliest(0)).toBeLessThanOrEqual(1_000);
  expect(clock.latest(0)).toBeGreaterThanOrEqual(1_000);
  // A slow reply doesn't spoil what is known.
  clock.observe(300, 900, 1_600);
  expect(clock.latest(0) - clock.earliest(0)).toBeLessThan(6);
  clock.observe(1_000, 1_002, 9_001);
  expect(clock.earliest(1_002)).toBe(9_001);
});
