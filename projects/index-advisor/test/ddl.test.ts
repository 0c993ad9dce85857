import { expect, test } from "vitest";
import { bare, createIndexSql, indexName, sameIndex } from "../src/ddl.ts";
import type { IndexSpec } from "../src/model.ts";

const plain: IndexSpec = {
  schema: "public",
  table: "orders",
  method: "btree",
  keys: [{ column: "customer_id" }],
  include: [],
};

test("every part is where PostgreSQL wants it, quoted where it has to be", () => {
  const index: IndexSpec = {
    schema: "Shop",
    table: "order",
    method: "btree",
    keys: [
      { expression: "lower(email)", operatorClass: "text_pattern_ops" },
      { column: "At", collation: '"C"', descending: true, nulls: "last" },
    ],
    include: ["user", "total"],
    where: "done IS FALSE",
  };
  expect(createIndexSql(index, "My index", { concurrently: true })).toBe(
    'CREATE INDEX CONCURRENTLY "My index" ON "Shop"."order" USING btree ((lower(email)) text_pattern_ops, "At" COLLATE "C" DESC NULLS LAST) INCLUDE ("user", total) WHERE done IS FALSE',
  );
});

test("a name fits, says what the index is on, and is the same for the same index only", () => {
  const long: IndexSpec = { ...plain, table: "überlange_tabelle".repeat(5) };
  expect(indexName(plain)).toMatch(/^orders_customer_id_[0-9a-f]{8}_idx$/);
  expect(Buffer.byteLength(indexName(long))).toBeLessThanOrEqual(63);
  expect(indexName(long)).toMatch(/^überlange.*_idx$/);
  expect(indexName({ ...plain })).toBe(indexName(plain));
  expect(indexName({ ...plain, where: "done" })).not.toBe(indexName(plain));
});

test("what is carried along has no order, keys have", () => {
  const both = (include: string[]): IndexSpec => ({ ...plain, include });
  expect(sameIndex(both(["a", "b"]), both(["b", "a"]))).toBe(true);
  expect(sameIndex(plain, { ...plain, keys: [{ column: "customer_id", descending: true }] })).toBe(
    false,
  );
});

test.each([
  ["((data ->> 'k'::text))", "data ->> 'k'::text"],
  ["(a) || (b)", "(a) || (b)"],
  ["(x = ')'::text)", "x = ')'::text"],
  ["lower(email)", "lower(email)"],
])("%s without its parentheses is %s", (whole, inner) => {
  expect(bare(whole)).toBe(inner);
});
