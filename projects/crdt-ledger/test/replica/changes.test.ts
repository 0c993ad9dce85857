import { expect, test } from "vitest";
import { Changes } from "../../src/replica/changes.ts";

const change = (actor: string, seq: number) => ({ actor, seq, bytes: new Uint8Array([seq]) });

test("what somebody lacks comes in the order in which it came here", () => {
  const changes = new Changes();
  for (const [actor, seq] of [
    ["ada", 1],
    ["bob", 1],
    ["ada", 2],
  ] as const)
    changes.add(change(actor, seq), 0);
  const here = new Map([
    ["ada", 2],
    ["bob", 1],
  ]);
  const names = (version: Record<string, number>) =>
    changes.since(version, here)?.map(({ actor, seq }) => `${actor}:${seq}`);
  expect(names({})).toEqual(["ada:1", "bob:1", "ada:2"]);
  expect(names({ ada: 1 })).toEqual(["bob:1", "ada:2"]);
  expect(names({ ada: 9, bob: 1 })).toEqual([]);
});

test("somebody called like what every object has is nobody in particular", () => {
  const changes = new Changes();
  changes.add(change("constructor", 1), 0);
  const here = new Map([["constructor", 1]]);
  expect(changes.since({}, here)).toHaveLength(1);
  expect(changes.since({ constructor: 1 } as unknown as Record<string, number>, here)).toEqual([]);
});

test("where some came as one piece, only those who need them are told that they are missing", () => {
  const changes = new Changes();
  changes.add(change("ada", 3), 0);
  const here = new Map([["ada", 3]]);
  expect(changes.since({ ada: 1 }, here)).toBeUndefined();
  expect(changes.since({ ada: 2 }, here)).toHaveLength(1);
});

test("what is forgotten may come again, and be another one", () => {
  const changes = new Changes();
  changes.add(change("ada", 1), 0);
  changes.add(change("ada", 2), 4);
  changes.add(change("ada", 3), 7);
  const forgotten: [number, number][] = [];
  changes.truncate(1, ({ seq }, from) => forgotten.push([seq, from]));
  expect(forgotten).toEqual([
    [3, 7],
    [2, 4],
  ]);
  expect(changes.length).toBe(1);
  expect(changes.find(change("ada", 2))).toBeUndefined();
  expect(changes.find(change("ada", 1))?.seq).toBe(1);
});
