import { expect, test } from "vitest";
import type { Catalog, Column } from "../../src/catalog.ts";
import type { Candidate, IndexSpec, Query } from "../../src/model.ts";
import { operatorKinds, type PlanSummary } from "../../src/ranker/plan.ts";
import { loadModel } from "../../src/ranker/predict.ts";
import { rank } from "../../src/ranker/rank.ts";

const column = (name: string, distinct: number): Column => ({
  name,
  type: "integer",
  baseType: "int4",
  category: "N",
  bytewise: false,
  notNull: true,
  statistics: {
    nullFraction: 0,
    distinct,
    commonValues: [],
    commonFrequencies: [],
    histogram: [],
    commonElements: [],
    correlation: 0,
    averageWidth: 4,
  },
});
const catalog: Catalog = {
  serverVersion: 150_000,
  database: "d",
  searchPath: ["public"],
  tables: [
    {
      schema: "public",
      name: "t",
      kind: "table",
      rows: 100_000,
      pages: 900,
      columns: [column("wanted", 50_000), column("other", 50_000)],
      indexes: [],
      ancestors: [],
    },
  ],
  foreignKeys: [],
  extensions: new Map(),
  installable: new Set(),
};
const before: PlanSummary = {
  startupCost: 0,
  totalCost: 2_150,
  rows: 2,
  width: 8,
  operators: 1,
  costs: {
    ...(Object.fromEntries(operatorKinds.map((kind) => [kind, 0])) as PlanSummary["costs"]),
    seqScan: 2_150,
  },
  scans: [{ table: "t", kind: "seqScan", indexes: [], rows: 2, cost: 2_150 }],
};

function query(statement: number, calls: number): Query {
  return {
    statement,
    calls,
    kind: "select",
    instances: [{ sql: "SELECT other FROM t WHERE wanted = 7", share: 1 }],
    accesses: [
      {
        schema: "public",
        table: "t",
        alias: "t",
        predicates: [{ column: "wanted", comparison: "equal" }],
        sort: [],
        group: [],
        limit: false,
        reads: ["wanted", "other"],
      },
    ],
  };
}

function on(name: string, method: IndexSpec["method"], statements: readonly number[]): Candidate {
  const index = { schema: "public", table: "t", method, keys: [{ column: name }], include: [] };
  return { index, statements, hypothetical: true };
}

test("an index on what is asked for comes before one on what isn't, and before a brin of rows without order", () => {
  const candidates = [
    on("other", "btree", [0]),
    on("wanted", "brin", [0]),
    on("wanted", "btree", [0]),
  ];
  const ranked = rank(loadModel(), {
    queries: [query(0, 1)],
    candidates,
    catalog,
    plans: [before],
  });
  expect(ranked[0]?.candidate).toBe(candidates[2]);
  expect(ranked[0]?.probability).toBeGreaterThan(0.8);
  expect(ranked.find(({ candidate }) => candidate === candidates[0])?.probability).toBeLessThan(
    0.3,
  );
});

test("what is called more often comes first, among equals", () => {
  const [rare, frequent] = [on("wanted", "btree", [0]), on("wanted", "btree", [1])];
  const ranked = rank(loadModel(), {
    queries: [query(0, 1), query(1, 50)],
    candidates: [rare, frequent],
    catalog,
    plans: [before, before],
  });
  expect(ranked[0]?.candidate).toBe(frequent);
  expect(ranked[0]?.probability).toBe(ranked[1]?.probability);
});
