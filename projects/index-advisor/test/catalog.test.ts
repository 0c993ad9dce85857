import { afterAll, beforeAll, expect, test } from "vitest";
import { type Catalog, findTable, readCatalog } from "../src/catalog.ts";
import { closeEngines, type Database, databaseWith } from "./databases.ts";

let database: Database;
let catalog: Catalog;

beforeAll(async () => {
  database = await databaseWith(`
    CREATE SCHEMA s;
    CREATE DOMAIN code AS varchar(20);
    CREATE TABLE s.parents (id bigint PRIMARY KEY, "Na me" code COLLATE "C", email text COLLATE "en-x-icu" UNIQUE,
      at timestamptz, tags text[], data jsonb, seen int);
    CREATE TABLE s.children (id int, parent bigint REFERENCES s.parents ON DELETE CASCADE, a int, b int,
      EXCLUDE USING gist (int4range(a, b) WITH &&));
    CREATE INDEX many ON s.parents (lower(email) text_pattern_ops, at DESC NULLS LAST, "Na me" COLLATE "en-x-icu")
      INCLUDE (tags) WHERE email = 'x' AND at IS NOT NULL;
    CREATE INDEX paths ON s.parents USING gin (data jsonb_path_ops);
    CREATE VIEW s.seen AS SELECT id FROM s.parents WHERE seen > 0;
    INSERT INTO s.parents SELECT g, 'n' || g, 'e' || g, now(), ARRAY['t' || g % 3], '{}', CASE WHEN g % 4 > 0 THEN g % 2 END
      FROM generate_series(1, 4000) g;
    ANALYZE s.parents`);
  await database.client
    .query("CREATE UNIQUE INDEX CONCURRENTLY broken ON s.parents (seen)")
    .catch(() => {});
  catalog = await readCatalog(database.client);
});

afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await closeEngines();
});

const parents = () => {
  const table = findTable(catalog, "parents", "s");
  if (table === undefined) throw new Error("It isn't there.");
  return table;
};

const named = (name: string) => parents().indexes.find((index) => index.name === name);

test("an index comes back as a candidate would be written", () => {
  expect(named("many")?.spec).toEqual({
    schema: "s",
    table: "parents",
    method: "btree",
    keys: [
      { expression: "lower(email)", operatorClass: "text_pattern_ops" },
      { column: "at", descending: true, nulls: "last" },
      { column: "Na me", collation: '"en-x-icu"' },
    ],
    include: ["tags"],
    where: "(email = 'x'::text) AND (at IS NOT NULL)",
  });
  expect(named("paths")?.spec.keys).toEqual([{ column: "data", operatorClass: "jsonb_path_ops" }]);
});

test("what may not be dropped is told from what may", () => {
  expect(named("parents_pkey")).toMatchObject({ backsConstraint: true, replicaIdentity: true });
  expect(named("parents_email_key")).toMatchObject({ backsConstraint: true, unique: true });
  expect(named("many")).toMatchObject({ backsConstraint: false, replicaIdentity: false });
  expect(named("broken")).toMatchObject({ valid: false });
  const [exclusion] = findTable(catalog, "children", "s")?.indexes ?? [];
  expect(exclusion).toMatchObject({ backsConstraint: true, unique: false });
});

test("columns have their types, collations and statistics", () => {
  const [id, name, email, , tags, , seen] = parents().columns;
  expect(id).toMatchObject({ baseType: "int8", notNull: true, bytewise: false });
  expect(name).toMatchObject({ type: "code", baseType: "varchar", bytewise: true });
  expect(email).toMatchObject({ category: "S", bytewise: false });
  expect(tags).toMatchObject({ category: "A", element: "text" });
  expect(tags?.statistics?.commonElements.toSorted()).toEqual(["t0", "t1", "t2"]);
  expect(seen?.statistics).toMatchObject({ nullFraction: 0.25, distinct: 2 });
  expect(seen?.statistics?.commonValues).toEqual(["1", "0"]);
  expect(id?.statistics).toMatchObject({ distinct: 4000, correlation: 1 });
  expect(id?.statistics?.histogram).toHaveLength(101);
});

test("tables, views and foreign keys", () => {
  expect(parents()).toMatchObject({ kind: "table", rows: 4000 });
  expect(findTable(catalog, "seen", "s")).toMatchObject({ kind: "view" });
  expect(findTable(catalog, "parents")).toBeUndefined();
  expect(catalog.foreignKeys).toEqual([
    {
      name: "children_parent_fkey",
      schema: "s",
      table: "children",
      columns: ["parent"],
      parentSchema: "s",
      parentTable: "parents",
      parentColumns: ["id"],
      cascades: true,
    },
  ]);
  expect(catalog.extensions.has("hypopg")).toBe(true);
});
