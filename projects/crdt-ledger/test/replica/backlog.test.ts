import { expect, test } from "vitest";
import type { Change } from "../../contract.ts";
import { Backlog } from "../../src/replica/backlog.ts";

const ACTORS = ["ada", "constructor", "grace"];

/** Each other than those before it, and some of them empty. */
function changes(count: number): Change[] {
  return Array.from({ length: count }, (_, i) => ({
    actor: ACTORS[i % ACTORS.length] ?? "",
    seq: i + 1,
    bytes: new Uint8Array(i % 97).fill(i),
  }));
}

test("what is taken comes as it was added and in that order, whatever is taken, added or given up in between", () => {
  const all = changes(1_000);
  const backlog = new Backlog();
  for (const change of all.slice(0, 700)) backlog.add(change);
  expect(backlog.take(256)).toEqual(all.slice(0, 256));
  backlog.truncate(200);
  expect(backlog.length).toBe(200);
  for (const change of all.slice(456)) backlog.add(change);
  expect(backlog.take(300)).toEqual(all.slice(256, 556));
  expect(backlog.take(Number.POSITIVE_INFINITY)).toEqual(all.slice(556));
  expect(backlog.take(1)).toEqual([]);
  for (const change of all) backlog.add(change);
  expect(backlog.take(1_000)).toEqual(all);
});

test("what was taken is not written over by what is added", () => {
  const backlog = new Backlog();
  const [one, other] = changes(99).slice(-2) as [Change, Change];
  backlog.add(one);
  const taken = backlog.take(1);
  backlog.add(other);
  expect(taken).toEqual([one]);
});
