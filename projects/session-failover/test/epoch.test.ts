import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline } from "../src/deadline.ts";
import { EpochView } from "../src/epoch.ts";

const S = 1_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function viewOf(answers: () => Promise<number>): { view: EpochView; asked: () => number } {
  let asked = 0;
  const view: EpochView = new EpochView(S, async () => {
    asked++;
    const sentAt = performance.now();
    view.observe(await answers(), sentAt);
  });
  return { view, asked: () => asked };
}

const deadline = (): Deadline => Deadline.in(100);

test("asks once, however many wait, and then not again until half of S has passed", async () => {
  const { view, asked } = viewOf(async () => 7);
  const fresh = await Promise.all([1, 2, 3].map(() => view.fresh(deadline())));
  expect(fresh).toEqual([true, true, true]);
  expect(view.known).toBe(7);
  vi.advanceTimersByTime(S / 2 - 1);
  expect(await view.fresh(deadline())).toBe(true);
  expect(asked()).toBe(1);
});

test("refreshes in the background from half of S on, so that nobody waits", async () => {
  let answer: (epoch: number) => void = () => {};
  const { view, asked } = viewOf(() => new Promise((resolve) => (answer = resolve)));
  view.observe(1, performance.now());
  vi.advanceTimersByTime(S * 0.6);
  expect(await view.fresh(deadline())).toBe(true);
  expect(asked()).toBe(1);
  answer(2);
  await vi.waitFor(() => expect(view.known).toBe(2));
});

test("is of no use once it is older than S and PostgreSQL is silent", async () => {
  const { view } = viewOf(() => Promise.reject(new Error("down")));
  view.observe(1, performance.now());
  vi.advanceTimersByTime(S);
  expect(await view.fresh(deadline())).toBe(false);
});

test("counts its age from before the question, not from the answer", async () => {
  const { view } = viewOf(() => Promise.reject(new Error("down")));
  const sentAt = performance.now();
  vi.advanceTimersByTime(S);
  view.observe(1, sentAt);
  expect(await view.fresh(deadline())).toBe(false);
});

test("after distrust, an answer to an older question doesn't count", async () => {
  const { view, asked } = viewOf(async () => 1);
  const sentAt = performance.now();
  vi.advanceTimersByTime(1);
  view.distrust();
  view.observe(1, sentAt);
  expect(await view.fresh(deadline())).toBe(true);
  expect(asked()).toBe(1);
});

test("never goes back", () => {
  const { view } = viewOf(async () => 1);
  view.observe(5, performance.now());
  view.observe(4, performance.now());
  expect(view.known).toBe(5);
});
