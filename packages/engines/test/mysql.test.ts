import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EngineRun, fetchableUnasked, openEngines } from "../src/index.ts";
import { ownFolder } from "./helpers.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("mysql");
})();
const offered = chosen !== undefined && fetchableUnasked(chosen);

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

/** One of everything that a migration may make. */
const migration = `
  CREATE TABLE orders (
    id BIGINT AUTO_INCREMENT PRIMARY KEY,
    net DECIMAL(10,2) NOT NULL,
    gross DECIMAL(10,2) AS (net * 1.2) STORED,
    note TEXT NULL
  );
  CREATE TABLE items (
    order_id BIGINT NOT NULL,
    sku VARCHAR(40),
    FOREIGN KEY (order_id) REFERENCES orders (id)
  );
  CREATE TABLE log (what VARCHAR(200));
`;

test.runIf(offered)("a clone has what its template has, and its own of each", async () => {
  const template = {
    key: "everything",
    async build(url: string) {
      await using client = await createConnection({ uri: url, multipleStatements: true });
      await client.query(migration);
      await client.query("CREATE VIEW zero AS SELECT id, gross FROM orders");
      await client.query("CREATE VIEW above AS SELECT * FROM zero WHERE gross > 1");
      await client.query("CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN 2 * x");
      await client.query("CREATE PROCEDURE forget() DELETE FROM log");
      await client.query(
        "CREATE TRIGGER told AFTER INSERT ON orders FOR EACH ROW INSERT INTO log VALUES (NEW.net)",
      );
      await client.query("INSERT INTO orders (net) VALUES (10), (20)");
      await client.query("INSERT INTO items VALUES (1, 'a')");
    },
  };
  const leases = await Promise.all([
    run.lease("mysql", { template }),
    run.lease("mysql", { template }),
  ]);
  const [first, second] = await Promise.all(
    leases.map(async (lease) => createConnection(await lease.urlFor("a"))),
  );
  const rows = async (client = first, statement = "") =>
    (await client?.query<RowDataPacket[]>(statement))?.[0] ?? [];
  // Written by the clone's own user, through the clone's own trigger, view and function.
  await rows(first, "INSERT INTO orders (net) VALUES (30)");
  expect(await rows(first, "SELECT * FROM above ORDER BY id")).toEqual([
    { id: 1, gross: "12.00" },
    { id: 2, gross: "24.00" },
    { id: 3, gross: "36.00" },
  ]);
  expect(await rows(first, "SELECT what FROM log ORDER BY what")).toEqual([
    { what: "10.00" },
    { what: "20.00" },
    { what: "30.00" },
  ]);
  expect(await rows(first, "SELECT twice(21) AS answer")).toEqual([{ answer: 42 }]);
  await rows(first, "CALL forget()");
  await expect(rows(first, "INSERT INTO items VALUES (99, 'b')")).rejects.toThrow(/foreign key/);
  expect(await rows(second, "SELECT COUNT(*) AS count FROM log")).toEqual([{ count: 2 }]);
  expect(await rows(second, "SELECT COUNT(*) AS count FROM orders")).toEqual([{ count: 2 }]);
  // One database is all that a user sees.
  expect(await rows(first, "SHOW DATABASES")).toEqual([
    { Database: "information_schema" },
    { Database: leases[0]?.namespace },
  ]);
  await Promise.all([first?.end(), second?.end()]);
  for (const lease of leases) await lease[Symbol.asyncDispose]();
});

test.each([
  ["10.11.14", "share/mysql", "mysql"],
  ["11.8.6", "share/mariadb", "mariadb"],
])("MariaDB %s is known by its scripts, %s/%s_*_tables.sql", async (version, share, scripts) => {
  await using system = await ownFolder();
  const program = join(system.path, "sbin/mariadbd");
  for (const folder of [dirname(program), join(system.path, share)])
    mkdirSync(folder, { recursive: true });
  writeFileSync(program, `#!/bin/sh\necho "mariadbd  Ver ${version}-MariaDB for Linux"\n`, {
    mode: 0o755,
  });
  const env = { ...process.env, KATA_ENGINES: "process", KATA_MARIADBD: program };
  const offered = async () => {
    await using other = await openEngines({ env });
    return (await other.probe("mysql")).offers.find(({ provider }) => provider === "process");
  };
  expect(await offered()).toMatchObject({
    offered: false,
    reason: `KATA_MARIADBD=${program} is not mariadbd with its share folder`,
  });
  for (const tables of ["system", "performance"])
    writeFileSync(join(system.path, share, `${scripts}_${tables}_tables.sql`), "");
  expect(await offered()).toMatchObject({ offered: true, version: `${version}-MariaDB` });
});

test.runIf(offered && chosen?.provider === "process")(
  "what starts leaves the temporary tables of others alone",
  async () => {
    const instance = { isolation: "instance" } as const;
    const leases = [await run.lease("mysql"), await run.lease("mysql", instance)];
    const folders: string[] = [];
    for (const lease of leases) {
      await using client = await createConnection(lease.adminUrl);
      const [[row]] = await client.query<RowDataPacket[]>("SELECT @@tmpdir AS folder");
      folders.push(row?.folder);
      await client.query("CREATE TEMPORARY TABLE t (id INT) ENGINE = Aria");
    }
    expect(new Set(folders).size).toBe(2);
    for (const folder of folders) expect(dirname(folder)).toContain(run.folder);
    for (const lease of leases) await lease[Symbol.asyncDispose]();
  },
);

test.runIf(offered)("a view runs as who reads it, and a grader is nobody elsewhere", async () => {
  await using lease = await run.lease("mysql");
  await using mine = await createConnection(await lease.urlFor("a"));
  await mine.query(
    "CREATE FUNCTION lure() RETURNS text SQL SECURITY INVOKER READS SQL DATA RETURN (SELECT user FROM mysql.user LIMIT 1)",
  );
  await mine.query("CREATE SQL SECURITY INVOKER VIEW lures AS SELECT lure() AS who");
  await mine.query("CREATE TABLE own (id INT)");
  await using grader = await createConnection(lease.adminUrl);
  await expect(grader.query("SELECT who FROM lures")).rejects.toThrow("lack rights");
  await grader.query("INSERT INTO own VALUES (1)");
  await grader.query("DROP TABLE own");
  await using other = await run.lease("mysql");
  await expect(grader.query("USE ??", [other.namespace])).rejects.toThrow("denied");
  await using server = await createConnection(lease.engine.adminUrl);
  const [rows] = await server.query("SELECT COUNT(who) AS n FROM ??.lures", [lease.namespace]);
  expect(rows).toEqual([{ n: 1 }]);
});
