import { expect, test } from "vitest";
import { split } from "../src/split.ts";

/** What changes nothing in the template. */
const disguises: readonly ((n: number) => string)[] = [
  (n) => `SELECT c FROM t${n} WHERE x = 5 AND y IN (1, 2)`,
  (n) => `select  c\nfrom t${n} where x=77 and y in (9)`,
  (n) => `/* app */ SELECT c FROM t${n} WHERE x = $1 AND y IN ($2, $3, $4); -- end`,
];

test("a template is on one side, about one in four on the test side, whatever the seed", async () => {
  const texts = Array.from({ length: 40 }, (_, n) => disguises.map((text) => text(n))).flat();
  const sides = new Set<string>();
  for (const seed of [1, 2, 3, -7]) {
    const { train, test: judged } = await split(texts, seed);
    expect([...train, ...judged].toSorted((a, b) => a - b)).toEqual([...texts.keys()]);
    for (let n = 0; n < texts.length; n += 3)
      expect([n, n + 1, n + 2].map((at) => judged.includes(at))).toEqual(
        Array(3).fill(judged.includes(n)),
      );
    expect(judged.length / texts.length).toBeCloseTo(0.25, 1);
    sides.add(judged.join());
  }
  expect(sides.size).toBe(4);
  expect(await split(texts, 1)).toEqual(await split(texts, 1));
});

test("two templates are on both sides, however unequal; one is for training", async () => {
  const many = Array.from({ length: 30 }, (_, n) => `SELECT a FROM t WHERE x = ${n}`);
  for (const seed of [1, 2, 3, 4]) {
    const { train, test: judged } = await split([...many, "SELECT b FROM u"], seed);
    expect(Math.min(train.length, judged.length)).toBe(1);
  }
  const tables = ["UPDATE t_10 SET a = 1", "UPDATE t_11 SET a = 1"];
  expect((await split(tables, 1)).test).toHaveLength(1);
  expect(await split(["SELECT 1", "SELECT 2"], 1)).toEqual({ train: [0, 1], test: [] });
  expect(await split([], 1)).toEqual({ train: [], test: [] });
});

test("what isn't PostgreSQL's SQL has templates, too", async () => {
  const texts = ["SHOW ME x = 5", "show  me x='a'", "SHOW ME x = 5, 6, 7", "FETCH ALL FROM z z z"];
  const { train, test: judged } = await split(texts, 1);
  expect([train, judged].map((side) => side.join()).toSorted()).toEqual(["0,1,2", "3"]);
});
