/** Which indexes are proposed: pure, from what statements ask and what the catalogue has. */
import { expect, test } from "vitest";
import { candidatesFor } from "../src/candidates/index.ts";
import type { Catalog, Column, ColumnStatistics, ExistingIndex, Table } from "../src/catalog.ts";
import { createIndexSql } from "../src/ddl.ts";
import type { Access, IndexSpec, Predicate, Query } from "../src/model.ts";

const statistics: ColumnStatistics = {
  nullFraction: 0,
  distinct: 1000,
  commonValues: [],
  commonFrequencies: [],
  histogram: [],
  commonElements: [],
  correlation: 0,
  averageWidth: 8,
};

function column(name: string, baseType = "int8", more: Partial<ColumnStatistics> = {}): Column {
  const category = { text: "S", jsonb: "U", _text: "A", tstzrange: "R", point: "G", bool: "B" }[
    baseType
  ];
  return {
    name,
    type: baseType,
    baseType,
    category: category ?? "N",
    bytewise: false,
    notNull: true,
    statistics: { ...statistics, ...more },
  };
}

const COLUMNS = [
  column("id"),
  column("a"),
  column("b", "int8", { distinct: 50_000 }),
  column("c"),
  column("at", "int8", { correlation: 1 }),
  column("state", "text", {
    distinct: 3,
    commonValues: ["done", "open"],
    commonFrequencies: [0.95, 0.04],
  }),
  column("name", "text"),
  column("long", "text", { averageWidth: 200 }),
  column("flag", "bool", { distinct: 2, commonValues: ["f", "t"], commonFrequencies: [0.9, 0.1] }),
  column("data", "jsonb"),
  column("tags", "_text"),
  column("during", "tstzrange"),
  column("place", "point"),
];

const spec = (keys: IndexSpec["keys"], more: Partial<IndexSpec> = {}): IndexSpec => ({
  schema: "public",
  table: "t",
  method: "btree",
  keys,
  include: [],
  ...more,
});

const existing = (index: IndexSpec, more: Partial<ExistingIndex> = {}): ExistingIndex => ({
  schema: "public",
  name: "there",
  spec: index,
  definition: "",
  valid: true,
  unique: false,
  backsConstraint: false,
  replicaIdentity: false,
  clustered: false,
  partOfAnother: false,
  nullsNotDistinct: false,
  sizeBytes: 0,
  scans: 0,
  ...more,
});

const table = (more: Partial<Table> = {}): Table => ({
  schema: "public",
  name: "t",
  kind: "table",
  rows: 100_000,
  pages: 2000,
  columns: COLUMNS,
  indexes: [existing(spec([{ column: "id" }]), { unique: true })],
  ancestors: [],
  ...more,
});

const catalog = (tables: readonly Table[] = [table()], more: Partial<Catalog> = {}): Catalog => ({
  serverVersion: 150_000,
  database: "d",
  searchPath: ["public"],
  tables,
  foreignKeys: [],
  extensions: new Map(),
  installable: new Set(["pg_trgm"]),
  ...more,
});

const access = (predicates: readonly Predicate[], more: Partial<Access> = {}): Access => ({
  schema: "public",
  table: "t",
  alias: "t",
  predicates,
  sort: [],
  group: [],
  limit: false,
  ...more,
});

const query = (statement: number, ...accesses: readonly Access[]): Query => ({
  statement,
  calls: 1,
  kind: "select",
  instances: [],
  accesses,
});

const equal = (name: string): Predicate => ({ column: name, comparison: "equal" });
const range = (name: string): Predicate => ({ column: name, comparison: "range" });

const texts = (queries: readonly Query[], from = catalog()) =>
  candidatesFor(queries, from).map(({ index }) =>
    createIndexSql(index, "x").replace("CREATE INDEX x ON public.t USING ", ""),
  );

const proposed = (one: Access, from = catalog()) => texts([query(0, one)], from);

test("equality comes before range and order, the more selective column first", () => {
  const found = proposed(access([range("c"), equal("a"), equal("b")]));
  expect(found).toEqual(["btree (b)", "btree (a)", "btree (c)", "btree (b, a)", "btree (b, a, c)"]);
  const sorted = access([equal("a")], {
    sort: [
      { column: "a", descending: false },
      { column: "c", descending: true },
    ],
    limit: true,
  });
  // Read from its end it is in that order, too.
  expect(proposed(sorted)).toEqual(["btree (a)", "btree (a, c)"]);
});

test("an order has the directions and NULLs that it needs, and no more", () => {
  const sort = (...keys: Access["sort"]) => proposed(access([], { sort: keys, limit: true }));
  expect(sort({ column: "a", descending: true })).toEqual(["btree (a)"]);
  expect(sort({ column: "a", descending: true, nulls: "last" })).toEqual([
    "btree (a DESC NULLS LAST)",
  ]);
  expect(sort({ column: "a", descending: true }, { column: "b", descending: false })).toEqual([
    "btree (a DESC, b)",
  ]);
});

test("few columns are carried along for a statement that reads no others", () => {
  const found = proposed(access([equal("a"), equal("b")], { reads: ["a", "b", "c"] }));
  expect(found.filter((text) => text.includes("INCLUDE"))).toEqual(["btree (b, a) INCLUDE (c)"]);
  expect(proposed(access([equal("a")], { reads: ["a", "long"] }))).toEqual(["btree (a)"]);
});

test("a partial index is for a constant of the text that few rows have", () => {
  const state = (constant: string): Predicate => ({
    ...equal("state"),
    constant: `'${constant}'`,
    condition: `state = '${constant}'::text`,
  });
  expect(proposed(access([state("open"), equal("a")]))).toContain(
    "btree (a) WHERE state = 'open'::text",
  );
  const none = [access([state("done"), equal("a")]), access([equal("state"), equal("a")])];
  for (const one of none) expect(proposed(one).join()).not.toContain("WHERE");
  const identity = { ...equal("b"), constant: "7", condition: "b = 7" };
  expect(proposed(access([identity, equal("a")])).join()).not.toContain("WHERE");
});

test("each arm of an OR wants its own index", () => {
  const arms = [
    { ...equal("a"), or: 1, arm: 0 },
    { ...equal("b"), or: 1, arm: 1 },
  ];
  expect(proposed(access(arms))).toEqual(["btree (a)", "btree (b)"]);
});

test("each operator gets the class that answers it", () => {
  const operator = (name: string, symbol: string): Predicate => ({
    column: name,
    comparison: "operator",
    operator: symbol,
  });
  expect(proposed(access([operator("data", "@>")]))).toEqual(["gin (data jsonb_path_ops)"]);
  expect(
    texts([query(0, access([operator("data", "@>")])), query(1, access([operator("data", "?")]))]),
  ).toEqual(["gin (data)"]);
  expect(proposed(access([operator("tags", "&&")]))).toEqual(["gin (tags)"]);
  expect(proposed(access([operator("during", "&&")]))).toEqual(["gist (during)"]);
  expect(proposed(access([{ column: "name", comparison: "prefix", operator: "~~" }]))).toEqual([
    "btree (name text_pattern_ops)",
  ]);
  const near = access([], {
    sort: [{ column: "place", descending: false, distanceTo: "'(0,0)'" }],
  });
  expect(proposed(near)).toEqual(["gist (place)"]);
  expect(
    proposed(
      access([
        {
          expression: "to_tsvector('simple'::regconfig, name)",
          type: "tsvector",
          comparison: "operator",
          operator: "@@",
        },
      ]),
    ),
  ).toEqual(["gin ((to_tsvector('simple'::regconfig, name)))"]);
});

test("trigrams only where the extension is installed, with its schema where nobody looks", () => {
  const like = access([{ column: "name", comparison: "like", operator: "~~*" }]);
  const installed = (schema: string) =>
    catalog([table()], { extensions: new Map([["pg_trgm", { version: "1.6", schema }]]) });
  expect(proposed(like)).toEqual([]);
  expect(proposed(like, installed("public"))).toEqual(["gin (name gin_trgm_ops)"]);
  expect(proposed(like, installed("Own"))).toEqual(['gin (name "Own".gin_trgm_ops)']);
});

test("BRIN for what lies in order, hash for long texts", () => {
  expect(proposed(access([range("at")]))).toEqual(["btree (at)", "brin (at)"]);
  expect(proposed(access([range("at")]), catalog([table({ pages: 100 })]))).toEqual(["btree (at)"]);
  expect(proposed(access([equal("long")]))).toEqual(["btree (long)", "hash (long)"]);
});

test("nothing that is there, nor what another can do, nor on a table of a few pages", () => {
  const having = (...indexes: ExistingIndex[]) => catalog([table({ indexes })]);
  const ab = spec([{ column: "a" }, { column: "b" }]);
  const asked = access([equal("a")]);
  expect(proposed(asked, having(existing(ab)))).toEqual([]);
  expect(proposed(asked, having(existing(ab, { valid: false })))).toEqual(["btree (a)"]);
  expect(proposed(asked, having(existing({ ...ab, where: "flag" })))).toEqual(["btree (a)"]);
  const backwards = spec([{ column: "a", descending: true }]);
  expect(proposed(asked, having(existing(backwards)))).toEqual([]);
  const pattern = spec([{ column: "a", operatorClass: "x_ops" }]);
  expect(proposed(asked, having(existing(pattern)))).toEqual(["btree (a)"]);
  expect(proposed(access([equal("id"), equal("a")]))).toEqual(["btree (a)"]);
  expect(proposed(asked, catalog([table({ pages: 3 })]))).toEqual([]);
  expect(proposed(asked, catalog([table({ kind: "partitioned" })]))).toEqual([]);
});

test("statements share an index: what both begin with comes first", () => {
  const queries = [
    query(0, access([equal("b"), equal("a")])),
    query(1, access([equal("a"), range("c")])),
  ];
  const found = candidatesFor(queries, catalog());
  const shared = found.find(({ index }) => index.keys.map((key) => key.column).join() === "a,b");
  expect(shared?.statements).toEqual([0, 1]);
  expect(found.filter(({ statements }) => statements.length === 2).length).toBeGreaterThan(1);
});

test("a deletion asks its children, and theirs where it goes on", () => {
  const child = (name: string) => table({ name, indexes: [] });
  const key = (of: string, parent: string, cascades: boolean) => ({
    name: `${of}_fkey`,
    schema: "public",
    table: of,
    columns: ["a"],
    parentSchema: "public",
    parentTable: parent,
    parentColumns: ["id"],
    cascades,
  });
  const from = catalog([table(), child("u"), child("v"), child("w")], {
    foreignKeys: [key("u", "t", true), key("v", "u", false), key("w", "v", true)],
  });
  const of = (kind: Query["kind"], writes: readonly string[]) =>
    candidatesFor([{ ...query(0, access([equal("id")], { writes })), kind }], from).map(
      ({ index }) => index.table,
    );
  expect(of("delete", ["id", "a"])).toEqual(["u", "v"]);
  expect(of("update", ["id"])).toEqual(["u"]);
  expect(of("update", ["a"])).toEqual([]);
});
