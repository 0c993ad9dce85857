import { expect, test } from "vitest";
import type { Catalog, Column } from "../src/catalog.ts";
import type { Candidate, WhatIf } from "../src/model.ts";
import { optimistic } from "../src/propose/sizes.ts";
import type { Builds } from "../src/whatif/builds.ts";
import { candidate } from "./sketch.ts";

const ROWS = 10_000;
const ESTIMATE = 1_000_000;

function column(name: string, distinct: number, averageWidth: number): Column {
  return {
    name,
    type: "text",
    baseType: "text",
    category: "S",
    bytewise: false,
    notNull: true,
    statistics: {
      nullFraction: 0,
      distinct,
      averageWidth,
      commonValues: [],
      commonFrequencies: [],
      histogram: [],
      commonElements: [],
    },
  };
}

const catalog = {
  tables: [
    {
      schema: "public",
      name: "things",
      rows: ROWS,
      columns: [column("same", 10, 90), column("own", ROWS, 90), column("mute", 1, 1)].map(
        (each) => {
          const { statistics: _, ...silent } = each;
          return each.name === "mute" ? silent : each;
        },
      ),
    },
  ],
} as unknown as Catalog;

const estimates = { size: async () => ESTIMATE } as unknown as WhatIf;
const built = (sizes: ReadonlyMap<Candidate, number>) =>
  ({ sizeOf: (one: Candidate) => sizes.get(one) }) as unknown as Builds;

const sizeOf = (one: Candidate, real = new Map<Candidate, number>()) =>
  optimistic(estimates, built(real), catalog).size(one);

test("keys that are repeated may be stored once", async () => {
  // Six bytes for each row, and ten keys.
  expect(await sizeOf(candidate(["same"], [0]))).toBe(ROWS * 6 + 10 * (12 + 90));
});

test("keys of which each row has its own take what is estimated, or little less", async () => {
  expect(await sizeOf(candidate(["same", "own"], [0]))).toBe(ESTIMATE);
});

test("what nobody has statistics of may be of any size", async () => {
  expect(await sizeOf(candidate(["mute"], [0]))).toBeLessThan(ESTIMATE / 10);
});

test("an index that carries columns along stores each row", async () => {
  const { index, ...rest } = candidate(["same"], [0]);
  expect(await sizeOf({ ...rest, index: { ...index, include: ["own"] } })).toBe(ESTIMATE);
});

test("what was built has the size that it has", async () => {
  const one = candidate(["same"], [0]);
  expect(await sizeOf(one, new Map([[one, ESTIMATE]]))).toBe(ESTIMATE);
});
