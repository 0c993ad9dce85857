/** Partitioned tables, tables with children, and views: what is behind them has the indexes. */
import { expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { connected, load, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases(
  `CREATE TABLE days (id int NOT NULL, day date NOT NULL, who int NOT NULL, note text NOT NULL) PARTITION BY RANGE (day);
   CREATE TABLE days_24 PARTITION OF days FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
   CREATE TABLE days_25 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
   CREATE TABLE "days 25 a" PARTITION OF days_25 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
   CREATE TABLE days_25_b PARTITION OF days_25 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
   CREATE TABLE days_26 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
   INSERT INTO days SELECT i, date '2024-01-01' + i % 731, i * 7919 % 9000, repeat(md5(i::text), 4)
     FROM generate_series(1, 30000) AS i;
   CREATE TABLE notes (id int, who int, text text);
   CREATE TABLE old_notes () INHERITS (notes);
   INSERT INTO notes SELECT i, i * 31 % 5000, repeat(md5(i::text), 4) FROM generate_series(1, 10000) AS i;
   INSERT INTO old_notes SELECT * FROM notes`,
);

async function advised(...statements: readonly string[]) {
  const { target, scratch } = databases;
  return await advise(
    { statements: statements.map((sql) => ({ sql, calls: 100 })) },
    { target, scratch, budgetMs: 50_000 },
  );
}

function tablesOf({ create }: Awaited<ReturnType<typeof advised>>): string[] {
  return create.map(({ sql }) => sql.replace(/^.* ON (.*) USING .*$/, "$1")).toSorted();
}

test("each partition with rows gets an index of its own, which can be built concurrently", {
  timeout: 60_000,
}, async () => {
  const advice = await advised("SELECT * FROM days WHERE who = 17");
  expect(tablesOf(advice)).toEqual([`public."days 25 a"`, "public.days_24", "public.days_25_b"]);
  expect(advice.skipped).toEqual([]);
  await using client = await connected(databases.scratch);
  for (const { sql, name } of advice.create) {
    await client.query(sql);
    await client.query(`DROP INDEX ${name}`);
  }
});

test("only those that the statement reads, and none that the parent's index serves", {
  timeout: 60_000,
}, async () => {
  const one = await advised("SELECT * FROM days WHERE who = 17 AND day < '2024-06-01'");
  expect(tablesOf(one)).toEqual(["public.days_24"]);
  await load(databases, "CREATE INDEX parents ON days_25 (who)");
  const rest = await advised("SELECT * FROM days WHERE who = 17");
  await load(databases, "DROP INDEX parents");
  expect(tablesOf(rest)).toEqual(["public.days_24"]);
  expect(rest.drop).toEqual([]);
});

test("a partition's index that belongs to its parent's is what stays of two", async () => {
  await load(databases, "CREATE INDEX parents ON days (who); CREATE INDEX own ON days_24 (who)");
  const { drop } = await advised("SELECT 1");
  await load(databases, "DROP INDEX parents, own");
  expect(drop).toMatchObject([
    { name: "public.own", reason: "duplicate", keep: "public.days_24_who_idx" },
  ]);
});

test("writes to the whole pay for the parts' indexes", { timeout: 60_000 }, async () => {
  const { target, scratch } = databases;
  const { create, statements } = await advise(
    {
      statements: [
        { sql: "SELECT * FROM days WHERE who = 17", calls: 100 },
        { sql: "INSERT INTO days VALUES (1, '2025-05-05', 1, 'x')", calls: 10 },
        { sql: "UPDATE days SET who = 2 WHERE day = '2024-05-05'", calls: 1 },
        { sql: "UPDATE days SET note = '' WHERE day = '2024-05-05'", calls: 1 },
      ],
    },
    { target, scratch, budgetMs: 50_000 },
  );
  expect(create.length).toBeGreaterThanOrEqual(3);
  const [read, insert, update, note] = statements.map(({ upkeepMs }) => upkeepMs);
  expect(read).toBe(0);
  expect(insert).toBeGreaterThan(0);
  expect(update).toBeGreaterThan(insert ?? 0);
  expect(note).toBeLessThan(update ?? 0);
});

test("too many partitions are said to be, and the rest of the workload is served", {
  timeout: 60_000,
}, async () => {
  const parts = Array.from(
    { length: 70 },
    (_, n) => `CREATE TABLE many_${n} PARTITION OF many FOR VALUES IN (${n});`,
  );
  await load(
    databases,
    `CREATE TABLE many (n int NOT NULL, who int NOT NULL, note text NOT NULL) PARTITION BY LIST (n); ${parts.join("")}
     INSERT INTO many SELECT i % 70, i % 3000, repeat(md5(i::text), 2) FROM generate_series(1, 70000) AS i`,
  );
  const advice = await advised(
    "SELECT * FROM many WHERE who = 17",
    "SELECT * FROM many WHERE who = 17 AND n IN (3, 4)",
  );
  await load(databases, "DROP TABLE many");
  expect(tablesOf(advice)).toEqual(["public.many_3", "public.many_4"]);
  expect(advice.skipped).toMatchObject([
    { statement: 0, why: expect.stringMatching("70 partitions of public.many") },
  ]);
});

test("a table and those that inherit from it each want one", { timeout: 60_000 }, async () => {
  const both = await advised("SELECT * FROM notes WHERE who = 17");
  expect(tablesOf(both)).toEqual(["public.notes", "public.old_notes"]);
  const one = await advised("SELECT * FROM ONLY notes WHERE who = 17");
  expect(tablesOf(one)).toEqual(["public.notes"]);
});

test("what is asked of a view is asked of all that it is made of", {
  timeout: 60_000,
}, async () => {
  await load(
    databases,
    `CREATE VIEW whole AS SELECT who AS person, note FROM days UNION ALL SELECT who, text FROM ONLY notes;
     CREATE VIEW narrow (x, y) AS SELECT person, note FROM whole WHERE note <> ''`,
  );
  const nested = await advised("SELECT * FROM narrow WHERE x = 17");
  expect(tablesOf(nested)).toEqual([
    `public."days 25 a"`,
    "public.days_24",
    "public.days_25_b",
    "public.notes",
  ]);
});

test("a view that takes no writes is skipped, and so is one of which a rule makes several statements", {
  timeout: 60_000,
}, async () => {
  await load(
    databases,
    `CREATE VIEW counted AS SELECT who, count(*) AS n FROM notes GROUP BY who;
     CREATE VIEW ruled AS SELECT * FROM notes;
     CREATE RULE twice AS ON DELETE TO ruled DO INSTEAD
       (DELETE FROM notes WHERE id = OLD.id; DELETE FROM old_notes WHERE id = OLD.id);
     CREATE RULE never AS ON INSERT TO ruled DO INSTEAD NOTHING`,
  );
  const { skipped } = await advised(
    "UPDATE counted SET n = 1 WHERE who = 17",
    "DELETE FROM ruled WHERE who = 17",
    "INSERT INTO ruled VALUES (1, 1, '')",
  );
  expect(skipped).toMatchObject([
    { statement: 0, why: expect.stringMatching('cannot update view "counted"') },
    { statement: 1, why: expect.stringMatching("A rule makes 2 statements of it") },
    { statement: 2, why: expect.stringMatching("A rule makes 0 statements of it") },
  ]);
});
