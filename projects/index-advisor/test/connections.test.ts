/** What holds for every connection, whatever its address says. */
import { expect, test } from "vitest";
import { advise } from "../src/advise.ts";
import { collect } from "../src/collect.ts";
import { areSame, connect, Deadline } from "../src/database.ts";
import { connected, load, sharedDatabases } from "./databases.ts";

const databases = sharedDatabases();

const deadline = () => new Deadline(20_000);

test("options in an address make no reader a writer, and take no limit away", async () => {
  const url = new URL(databases.target);
  url.searchParams.set("options", "-c default_transaction_read_only=off -c statement_timeout=0");
  await using reader = await connect("target", url.href, { deadline: deadline(), readOnly: true });
  await expect(reader.client.query("CREATE TABLE mine (x int)")).rejects.toMatchObject({
    code: "25006",
  });
  const { rows } = await reader.client.query("SHOW statement_timeout");
  expect(rows).not.toEqual([{ statement_timeout: "0" }]);
});

test("a reader doesn't wait behind somebody's ALTER TABLE, and says what was in its way", async () => {
  await using other = await connected(databases.target);
  await other.query("CREATE TABLE held (x int)");
  await other.query("BEGIN; LOCK TABLE held");
  await expect(advise({ statements: [] }, databases)).rejects.toMatchObject({
    code: "TARGET_UNAVAILABLE",
    message: expect.stringContaining("lock timeout"),
  });
  await other.query("ROLLBACK; DROP TABLE held");
});

test("a copy that is the target itself is refused before anything is built", async () => {
  const { target } = databases;
  await expect(advise({ statements: [] }, { target, scratch: target })).rejects.toMatchObject({
    code: "SCRATCH_UNAVAILABLE",
    message: expect.stringContaining("the very database that target names"),
  });
  await using one = await connect("target", target, { deadline: deadline() });
  await using two = await connect("scratch", databases.scratch, { deadline: deadline() });
  expect(await areSame(one, two)).toBe(false);
});

test("an extension of before the server was upgraded is named, with what to do", async () => {
  await using admin = await connected(databases.targetAdmin);
  await admin.query("CREATE EXTENSION pg_stat_statements VERSION '1.7'");
  await expect(collect(databases.target, { by: "total-time", limit: 10 })).rejects.toMatchObject({
    code: "EXTENSION_MISSING",
    message: expect.stringContaining("ALTER EXTENSION pg_stat_statements UPDATE"),
  });
  await admin.query("DROP EXTENSION pg_stat_statements");
});

test("what was interrupted leaves nothing on the copy, and nothing goes on there", async () => {
  await load(
    databases,
    `CREATE TABLE things (id int, a int NOT NULL);
     INSERT INTO things SELECT i, i * 7919 % 9000 FROM generate_series(1, 30000) AS i`,
  );
  const interrupted = new AbortController();
  await using client = await connected(databases.scratch);
  // Four rows: two seconds with each set of indexes, which leaves time to see that one is built.
  const sql = "SELECT pg_sleep(0.5), * FROM things WHERE a = 17";
  const advised = advise(
    {
      statements: [
        { sql, calls: 1 },
        { sql: "SELECT * FROM things WHERE a = 17", calls: 1_000 },
      ],
    },
    { ...databases, signal: interrupted.signal, cleanUpMs: 10_000 },
  );
  advised.catch(() => {});
  const trials = async () =>
    (await client.query("SELECT FROM pg_class WHERE relname LIKE 'index\\_advisor%'")).rowCount;
  await expect.poll(trials, { timeout: 20_000 }).toBe(1);
  interrupted.abort();
  await expect(advised).rejects.toThrow();
  expect(await trials()).toBe(0);
  const others = await client.query(
    "SELECT query FROM pg_stat_activity WHERE application_name = 'index-advisor' AND datname = current_database()",
  );
  expect(others.rows).toEqual([]);
});
