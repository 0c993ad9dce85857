import { expect, test } from "vitest";
import type { Access, Candidate, IndexKey, Predicate, SortKey } from "../../src/model.ts";
import { bestMatch } from "../../src/ranker/match.ts";

function access(
  predicates: readonly Predicate[],
  more: { readonly sort?: readonly SortKey[]; readonly reads?: readonly string[] } = {},
): Access {
  return {
    schema: "public",
    table: "t",
    alias: "t",
    predicates,
    sort: [],
    group: [],
    limit: false,
    ...more,
  };
}

function on(...keys: readonly (string | IndexKey)[]): Candidate {
  return {
    index: {
      schema: "public",
      table: "t",
      method: "btree",
      keys: keys.map((key) => (typeof key === "string" ? { column: key } : key)),
      include: [],
    },
    statements: [0],
    hypothetical: true,
  };
}

const equal = (column: string): Predicate => ({ column, comparison: "equal" });
const range = (column: string): Predicate => ({ column, comparison: "range" });
const up = (column: string): SortKey => ({ column, descending: false });
const down = (column: string): SortKey => ({ column, descending: true });

test("equal keys count up to the first that isn't, and a range only right after them", () => {
  const asked = [access([equal("a"), range("b"), equal("c")])];
  expect(bestMatch(asked, on("a", "b"))).toMatchObject({ equalKeys: 1, rangeKey: true });
  expect(bestMatch(asked, on("a", "c", "b"))).toMatchObject({ equalKeys: 2, rangeKey: true });
  expect(bestMatch(asked, on("b", "a"))).toMatchObject({ equalKeys: 0, rangeKey: true });
  expect(bestMatch(asked, on("d", "a"))).toMatchObject({ equalKeys: 0, firstComparison: 0 });
});

test("an order comes out after equal keys, backwards too, but not half and half", () => {
  const asked = [access([equal("a")], { sort: [down("b"), down("c")] })];
  expect(bestMatch(asked, on("a", "b", "c"))).toMatchObject({ sorted: 2, ordered: true });
  const mixed = [access([equal("a")], { sort: [down("b"), up("c")] })];
  expect(bestMatch(mixed, on("a", "b", "c"))).toMatchObject({ sorted: 1, ordered: false });
  const fitting = on("a", { column: "b", descending: true }, "c");
  expect(bestMatch(mixed, fitting)).toMatchObject({ sorted: 2, ordered: true });
});

test("an index covers what is read if it holds all of it, and never everything", () => {
  expect(bestMatch([access([equal("a")], { reads: ["a", "b"] })], on("a", "b"))?.covers).toBe(true);
  expect(bestMatch([access([equal("a")], { reads: ["a", "c"] })], on("a", "b"))?.covers).toBe(
    false,
  );
  expect(bestMatch([access([equal("a")])], on("a", "b"))?.covers).toBe(false);
});

test("of two accesses to one table, that one counts which the index serves better", () => {
  const joined: Predicate = { ...equal("a"), joins: { alias: "u", column: "id" } };
  const match = bestMatch([access([joined]), access([equal("a")])], on("a"));
  expect(match?.firstJoins).toBe(false);
  expect(bestMatch([access([joined])], on("a"))?.firstJoins).toBe(true);
});

test("an expression is met by the same expression only", () => {
  const asked = [access([{ expression: "lower(a)", comparison: "equal" }])];
  expect(bestMatch(asked, on({ expression: "lower(a)" }))?.equalKeys).toBe(1);
  expect(bestMatch(asked, on("a"))?.equalKeys).toBe(0);
});

test("an index on another table matches nothing", () => {
  expect(bestMatch([{ ...access([equal("a")]), table: "u" }], on("a"))).toBeUndefined();
});
