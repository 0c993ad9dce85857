/** Queries and candidates by hand, for tests that need no parser. */
import type { AccessMethod, Candidate, Query } from "../src/model.ts";

export function query(
  statement: number,
  sql: string,
  columns: readonly string[],
  more: Partial<Query> & { readonly table?: string; readonly writes?: readonly string[] } = {},
): Query {
  const { table = "things", writes, ...rest } = more;
  return {
    statement,
    calls: 1,
    kind: "select",
    instances: [{ sql, share: 1 }],
    accesses: [
      {
        schema: "public",
        table,
        alias: table,
        predicates: columns.map((column) => ({ column, comparison: "equal" })),
        sort: [],
        group: [],
        limit: false,
        ...(writes && { writes }),
      },
    ],
    ...rest,
  };
}

export function candidate(
  columns: readonly string[],
  statements: readonly number[],
  { table = "things", method = "btree" }: { table?: string; method?: AccessMethod } = {},
): Candidate {
  return {
    index: {
      schema: "public",
      table,
      method,
      keys: columns.map((column) => ({ column })),
      include: [],
    },
    statements,
    hypothetical: method === "btree",
  };
}

/** The keys of a set, for comparison. */
export function columnsOf(set: readonly Candidate[]): string[] {
  return set.map(({ index }) => index.keys.map(({ column }) => column).join(",")).toSorted();
}
