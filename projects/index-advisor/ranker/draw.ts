/**
 * Candidates that no advisor chose: a model that only ever saw good guesses would learn nothing about bad
 * ones.
 */
import type { Random } from "@db-katas/grading";
import type { Catalog, Column, Table } from "../src/catalog.ts";
import type { Candidate, IndexKey, IndexSpec } from "../src/model.ts";

/** Types without an order, of which btree has no operator class. */
const UNORDERED = new Set(["point", "box", "json"]);

/** Over columns that a statement mentions, and now and then one that it doesn't. @param most how many */
export function drawCandidates(
  sql: string,
  catalog: Catalog,
  random: Random,
  most: number,
): readonly Candidate[] {
  const words = new Set(sql.match(/\w+/g));
  const mentioned = catalog.tables.filter(({ name }) => words.has(name));
  const specs = mentioned.flatMap((table) => {
    const [known, unknown] = [true, false].map((is) =>
      table.columns.filter(({ name }) => words.has(name) === is),
    );
    const strange = (unknown?.length ?? 0) > 0 ? [random.pick(unknown ?? [])] : [];
    return specsOver(table, [...(known ?? []), ...strange], random);
  });
  return random
    .shuffle(specs.filter((spec) => !exists(spec, mentioned)))
    .slice(0, most)
    .map((index) => ({
      index,
      statements: [0],
      hypothetical: index.method !== "gin" && index.method !== "gist",
    }));
}

function specsOver(table: Table, columns: readonly Column[], random: Random): IndexSpec[] {
  const spec = (method: IndexSpec["method"], ...keys: IndexKey[]): IndexSpec => ({
    schema: table.schema,
    table: table.name,
    method,
    keys,
    include: [],
  });
  const ordered = columns.filter(({ baseType }) => !UNORDERED.has(baseType));
  const single = columns.flatMap((column): IndexSpec[] => {
    const key = { column: column.name };
    const own = special(column).map(([method, operatorClass]) =>
      spec(method, operatorClass === undefined ? key : { ...key, operatorClass }),
    );
    if (!ordered.includes(column)) return own;
    const plain = [spec("btree", key), spec("btree", { ...key, descending: true })];
    const others = own.length > 0 || column.baseType === "bool" ? [] : (["hash", "brin"] as const);
    const other = others.length > 0 ? [spec(random.pick(others), key)] : [];
    return [...own, ...plain.slice(0, random.int(1, 2)), ...other];
  });
  const pairs = ordered.flatMap((first) =>
    ordered
      .filter((second) => second !== first)
      .map((second) => spec("btree", { column: first.name }, { column: second.name })),
  );
  return [...single, ...random.shuffle(pairs).slice(0, single.length)];
}

/** What a type can be indexed with beside btree, hash and brin, fit for the statement or not. */
function special({ baseType, category }: Column): readonly ["gin" | "gist" | "btree", string?][] {
  if (baseType === "jsonb") return [["gin"], ["gin", "jsonb_path_ops"]];
  if (baseType === "tsvector") return [["gin"], ["gist"]];
  if (baseType === "point") return [["gist"]];
  if (category === "A") return [["gin"]];
  if (category === "R") return [["gist"]];
  if (baseType === "text") {
    return [
      ["gin", "gin_trgm_ops"],
      ["gist", "gist_trgm_ops"],
      ["btree", "text_pattern_ops"],
    ];
  }
  return [];
}

function exists(spec: IndexSpec, tables: readonly Table[]): boolean {
  const columns = spec.keys.map(({ column }) => column).join();
  const table = tables.find(({ name }) => name === spec.table);
  return (
    table?.indexes.some(
      (index) => index.spec.keys.map(({ column }) => column).join() === columns,
    ) ?? false
  );
}
