/** What PostgreSQL itself says to the guides' samples. */
import { type EngineRun, openEngines } from "@db-katas/engines";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

/** A database of the test's own, and clients for it. */
async function openDatabase() {
  await using opening = new AsyncDisposableStack();
  const lease = opening.use(await run.lease("postgres"));
  const url = await lease.urlFor("a");
  const connect = async (connectionString = url) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    opened.defer(() => client.end());
    return client;
  };
  const opened = opening.move();
  return { lease, connect, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const code = (error: string) => expect.objectContaining({ code: error });

async function planOf(client: pg.Client, query: string): Promise<string> {
  const { rows } = await client.query<{ "QUERY PLAN": string }>(`EXPLAIN (COSTS OFF) ${query}`);
  return rows.map((row) => row["QUERY PLAN"]).join("\n");
}

test("SET phone = NULL WHERE phone IS NULL writes every row anew", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query("CREATE TABLE users (id int PRIMARY KEY, phone varchar(20))");
  await client.query("INSERT INTO users SELECT generate_series(1, 100)");
  const places = async () =>
    new Map(
      (await client.query("SELECT id, ctid FROM users")).rows.map((row) => [row.id, row.ctid]),
    );
  const before = await places();
  await client.query("UPDATE users SET phone = NULL WHERE phone IS NULL");
  const after = await places();
  expect([...before].filter(([id, place]) => after.get(id) !== place)).toHaveLength(100);
});

test("CREATE INDEX keeps writers out until its transaction ends, and CONCURRENTLY runs in none", async () => {
  await using database = await openDatabase();
  const migration = await database.connect();
  const writer = await database.connect();
  await migration.query("CREATE TABLE users (id int PRIMARY KEY, phone text)");
  await migration.query("BEGIN");
  await migration.query("CREATE INDEX idx_users_phone ON users (phone)");
  await writer.query("SET lock_timeout = '50ms'");
  await expect(writer.query("INSERT INTO users VALUES (1)")).rejects.toEqual(code("55P03"));
  await migration.query("COMMIT");
  await writer.query("INSERT INTO users VALUES (1)");
  await migration.query("BEGIN");
  const concurrently = migration.query("CREATE INDEX CONCURRENTLY ON users (phone, id)");
  await expect(concurrently).rejects.toEqual(code("25001"));
});

test("after ADD COLUMN nobody reads the table until the transaction ends", async () => {
  await using database = await openDatabase();
  const migration = await database.connect();
  const reader = await database.connect();
  await migration.query("CREATE TABLE users (id int PRIMARY KEY)");
  await migration.query("BEGIN");
  await migration.query("ALTER TABLE users ADD COLUMN phone varchar(20)");
  await reader.query("SET lock_timeout = '50ms'");
  await expect(reader.query("SELECT * FROM users")).rejects.toEqual(code("55P03"));
  await migration.query("COMMIT");
  await reader.query("SELECT * FROM users");
});

test("PostgreSQL knows neither 'user'@'%' nor current_user_id()", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query("CREATE TABLE users (user_id int)");
  const user = client.query("CREATE USER 'app_user'@'%' IDENTIFIED BY 'secure_password'");
  await expect(user).rejects.toEqual(code("42601"));
  const policy = client.query(
    "CREATE POLICY user_policy ON users FOR ALL USING (user_id = current_user_id())",
  );
  await expect(policy).rejects.toEqual(code("42883"));
});

test("row-level security doesn't hold for the table's owner", async () => {
  await using database = await openDatabase();
  const owner = await database.connect();
  await owner.query("CREATE TABLE users (user_id int)");
  await owner.query("INSERT INTO users VALUES (1), (2)");
  await owner.query("CREATE POLICY nobody ON users FOR ALL USING (false)");
  await owner.query("ALTER TABLE users ENABLE ROW LEVEL SECURITY");
  expect((await owner.query("SELECT * FROM users")).rowCount).toBe(2);
  await owner.query("ALTER TABLE users FORCE ROW LEVEL SECURITY");
  expect((await owner.query("SELECT * FROM users")).rowCount).toBe(0);
});

test("an index covers the columns that it has, and so never SELECT *", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query(
    "CREATE TABLE orders (id serial PRIMARY KEY, customer_id int, order_date date, total int, note text)",
  );
  await client.query(
    "INSERT INTO orders (customer_id) SELECT n % 500 FROM generate_series(1, 20000) AS n",
  );
  await client.query("CREATE INDEX idx_orders_covering ON orders (customer_id, order_date, total)");
  await client.query("VACUUM ANALYZE orders");
  const where = "FROM orders WHERE customer_id = 123";
  expect(await planOf(client, `SELECT * ${where}`)).not.toContain("Index Only Scan");
  expect(await planOf(client, `SELECT order_date, total ${where}`)).toContain("Index Only Scan");
});

test("a B-tree finds prefixes only in the C collation, or with text_pattern_ops", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query(`CREATE TABLE words (plain text COLLATE "en-x-icu", c text COLLATE "C")`);
  await client.query("CREATE INDEX plain_idx ON words (plain)");
  await client.query("CREATE INDEX c_idx ON words (c)");
  // Where an index can help at all, it is taken now.
  await client.query("SET enable_seqscan = off");
  const like = (column: string) => planOf(client, `SELECT * FROM words WHERE ${column} LIKE 'ab%'`);
  const condition = />= 'ab'|~>=~ 'ab'/;
  expect(await like("plain")).not.toMatch(condition);
  expect(await like("c")).toMatch(condition);
  await client.query("CREATE INDEX pattern_idx ON words (plain text_pattern_ops)");
  expect(await like("plain")).toMatch(condition);
});

test("two user names become one in lower case", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  for (const table of ["source", "target"]) {
    await client.query(`CREATE TABLE ${table} (id int PRIMARY KEY, username text UNIQUE)`);
  }
  await client.query("INSERT INTO source VALUES (1, 'Ada'), (2, 'ada')");
  const copy = client.query("INSERT INTO target SELECT id, lower(username) FROM source");
  await expect(copy).rejects.toEqual(code("23505"));
});

test("an encrypted phone number doesn't fit where the migration makes room for it", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query("CREATE TABLE users (phone varchar(20))");
  const token = "g".repeat(100);
  await expect(client.query("INSERT INTO users VALUES ($1)", [token])).rejects.toEqual(
    code("22001"),
  );
});

test("pg_stat_activity has rows for more than connections", async () => {
  await using database = await openDatabase();
  const client = await database.connect(database.lease.adminUrl);
  const { rows } = await client.query<{ all: number; clients: number }>(
    `SELECT count(*)::int AS all,
       count(*) FILTER (WHERE backend_type = 'client backend')::int AS clients
     FROM pg_stat_activity`,
  );
  expect(rows[0]?.clients).toBeGreaterThan(0);
  expect(rows[0]?.all).toBeGreaterThan(rows[0]?.clients ?? 0);
});

test("a transaction loses an update at the isolation that it has unless it asks for another", async () => {
  await using database = await openDatabase();
  const [one, other] = [await database.connect(), await database.connect()];
  await one.query("CREATE TABLE accounts (id int PRIMARY KEY, balance int)");
  await one.query("INSERT INTO accounts VALUES (1, 100)");
  const balanceOf = async (client: pg.Client) =>
    Number((await client.query("SELECT balance FROM accounts")).rows[0].balance);
  const transfer = async (isolation: string) => {
    for (const client of [one, other]) await client.query(`BEGIN ${isolation}`);
    const [mine, yours] = [await balanceOf(one), await balanceOf(other)];
    await one.query("UPDATE accounts SET balance = $1", [mine - 10]);
    await one.query("COMMIT");
    await other.query("UPDATE accounts SET balance = $1", [yours - 20]);
    await other.query("COMMIT");
  };
  await transfer("");
  expect(await balanceOf(one)).toBe(80);
  await expect(transfer("ISOLATION LEVEL REPEATABLE READ")).rejects.toEqual(code("40001"));
});

test("two transactions at REPEATABLE READ break a rule that each of them keeps", async () => {
  await using database = await openDatabase();
  const [one, other] = [await database.connect(), await database.connect()];
  await one.query("CREATE TABLE on_call (doctor int PRIMARY KEY)");
  const goHome = async (isolation: string) => {
    await one.query("DELETE FROM on_call");
    await one.query("INSERT INTO on_call VALUES (1), (2)");
    for (const client of [one, other]) await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    for (const [client, doctor] of [
      [one, 1],
      [other, 2],
    ] as const) {
      const { rowCount } = await client.query("SELECT * FROM on_call");
      if ((rowCount ?? 0) > 1) {
        await client.query("DELETE FROM on_call WHERE doctor = $1", [doctor]);
      }
    }
    for (const client of [one, other]) await client.query("COMMIT");
  };
  await goHome("REPEATABLE READ");
  expect((await one.query("SELECT * FROM on_call")).rowCount).toBe(0);
  await expect(goHome("SERIALIZABLE")).rejects.toEqual(code("40001"));
});

test("a notification holds less than 8000 bytes, and nobody gets it later", async () => {
  await using database = await openDatabase();
  const sender = await database.connect();
  const notify = (payload: string) => sender.query("SELECT pg_notify('alerts', $1)", [payload]);
  await expect(notify("x".repeat(8_000))).rejects.toEqual(code("22023"));
  await notify("while nobody listens");
  const listener = await database.connect();
  const heard: (string | undefined)[] = [];
  listener.on("notification", ({ payload }) => heard.push(payload));
  await listener.query("LISTEN alerts");
  await notify("x".repeat(7_999));
  await expect.poll(() => heard).toEqual(["x".repeat(7_999)]);
});

test("EXPLAIN ANALYZE does what it explains", async () => {
  await using database = await openDatabase();
  const client = await database.connect();
  await client.query("CREATE TABLE orders AS SELECT generate_series(1, 10) AS id");
  await client.query("EXPLAIN (ANALYZE) DELETE FROM orders");
  expect((await client.query("SELECT * FROM orders")).rowCount).toBe(0);
});
