/** A copy whose foreign table is the real one. */
import { beforeAll, expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { risksOf } from "../src/cli/risks.ts";
import { connected, load, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases(
  `CREATE TABLE near (id int PRIMARY KEY, a int NOT NULL);
   INSERT INTO near SELECT i, i % 1000 FROM generate_series(1, 20000) AS i;
   CREATE TABLE parts (id int, a int) PARTITION BY RANGE (id)`,
);

/** Somewhere else: the target plays the server that the copy's foreign table is on. */
async function foreignTable(): Promise<void> {
  const far = new URL(databases.targetAdmin);
  await using admin = await connected(databases.scratchAdmin);
  await admin.query("CREATE EXTENSION postgres_fdw");
  await admin.query(
    `CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
       OPTIONS (host '${far.hostname}', port '${far.port}', dbname '${decodeURIComponent(far.pathname.slice(1))}')`,
  );
  await admin.query(
    `CREATE USER MAPPING FOR PUBLIC SERVER far
       OPTIONS (user '${decodeURIComponent(far.username)}', password '${decodeURIComponent(far.password)}')`,
  );
  const owner = new URL(databases.scratch).username;
  await admin.query(`GRANT USAGE ON FOREIGN SERVER far TO "${owner}"`);
}

beforeAll(async () => {
  await foreignTable();
  await using target = await connected(databases.target);
  await target.query("CREATE TABLE stock (id int, a int)");
  await target.query("INSERT INTO stock SELECT i, 0 FROM generate_series(1, 50) AS i");
  await using scratch = await connected(databases.scratch);
  await scratch.query(`
    CREATE FOREIGN TABLE stock (id int, a int) SERVER far;
    CREATE FOREIGN TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (99) SERVER far
      OPTIONS (table_name 'stock');
    CREATE VIEW shown AS SELECT id, a FROM stock`);
}, 60_000);

const abroad = [
  "UPDATE stock SET a = 1 WHERE id = 7",
  "DELETE FROM stock WHERE id = 8",
  "INSERT INTO stock VALUES (51, 1)",
  "SELECT * FROM stock WHERE id = 9 FOR UPDATE",
  "UPDATE parts SET a = 1 WHERE id = 10",
  "INSERT INTO parts VALUES (11, 1)",
  "UPDATE shown SET a = 1 WHERE id = 12",
  "WITH gone AS (DELETE FROM stock WHERE id = 13 RETURNING id) SELECT * FROM near WHERE id IN (SELECT id FROM gone)",
];
const home = [
  "SELECT * FROM near WHERE a = 7",
  "UPDATE near SET a = 1 WHERE id = 7",
  "SELECT count(*) FROM near JOIN stock USING (id) WHERE near.a = 3",
];

test("what writes there, or locks, is skipped with the reason, and never runs", {
  timeout: 60_000,
}, async () => {
  const statements = [...abroad, ...home].map((sql) => ({ sql, calls: 100 }));
  const { skipped, create } = await advise({ statements }, databases);
  expect(skipped.map(({ statement }) => statements[statement]?.sql)).toEqual(abroad);
  for (const { why } of skipped) expect(why).toContain("foreign table");
  expect(create).toHaveLength(1);
  await using target = await connected(databases.target);
  // A row that was locked, updated or deleted has the number of that transaction, also once it was rolled back.
  const { rows } = await target.query("SELECT id FROM stock WHERE xmax <> '0'");
  expect(rows).toEqual([]);
});

test("what a rule makes several statements of is skipped", { timeout: 60_000 }, async () => {
  await load(
    databases,
    `CREATE TABLE ruled (id int); CREATE TABLE log (id int);
     CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO log VALUES (new.id)`,
  );
  const { skipped } = await advise(
    { statements: [{ sql: "INSERT INTO ruled VALUES (1)", calls: 1 }] },
    databases,
  );
  expect(skipped).toEqual([
    {
      statement: 0,
      why: "A rule makes 2 statements of it, and only a single one can be measured.",
    },
  ]);
});

test("who runs statements as a superuser, or on a copy that reaches further, is warned", async () => {
  await using owner = await connected(databases.scratch);
  expect(await risksOf(owner)).toEqual([expect.stringContaining("foreign tables")]);
  await using admin = await connected(databases.scratchAdmin);
  await admin.query("CREATE EXTENSION dblink");
  expect(await risksOf(admin)).toEqual([
    expect.stringContaining("is a superuser"),
    expect.stringContaining("foreign tables"),
    expect.stringContaining("The copy has dblink"),
  ]);
});
