import { createServer } from "node:net";
import { join } from "node:path";
import { type Lease, openEngines } from "@db-katas/engines";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { superuserUrl } from "../databases.ts";
import { type Ended, type Folder, openFolder, typed } from "./tool.ts";

const run = await openEngines();
/** Its server is its own, so that it may read pg_stat_statements; its role may not make databases. */
let target: Lease;
let url: string;
let folder: Folder;

beforeAll(async () => {
  target = await run.lease("pgextended", { isolation: "instance" });
  url = await target.urlFor("a");
  folder = await openFolder();
  await folder.write("one.sql", "SELECT 1;");
}, 120_000);
afterAll(async () => {
  await run[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** What differs from run to run is left out of what it says. */
async function advise(...args: readonly string[]): Promise<Ended> {
  const { stderr, ...ended } = await typed(args);
  const masked = stderr
    .replaceAll(/127\.0\.0\.1:\d+/g, "HOST")
    .replaceAll(/kata_\w+/g, "DATABASE")
    .replaceAll(folder.path, "FOLDER");
  return { ...ended, stderr: masked };
}

async function asked(address: string, ...sql: readonly string[]): Promise<unknown[]> {
  const client = new pg.Client(address);
  await client.connect();
  const rows: unknown[] = [];
  for (const each of sql) rows.push(...(await client.query(each)).rows);
  await client.end();
  return rows;
}

const sqlFile = () => ["--make-copy", "--sql", join(folder.path, "one.sql")];

it("an option that isn't there, or can't be understood", async () => {
  const unknown = await advise("--url", url, "--bugdet", "2GB");
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toMatchInlineSnapshot(`
    "BAD_OPTION  unknown option '--bugdet'
    (Did you mean --budget?)
    What to do: see --help.
    "
  `);
  const wrong = await advise("--url", url, "--budget", "much");
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toMatchInlineSnapshot(`
    "BAD_OPTION  --budget much can't be understood. Give a size like 500MB or 2GB.
    "
  `);
});

it("no copy, and none to be made", async () => {
  const { code, stderr } = await advise("--url", url, "--sql", "never-read.sql");
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "COPY_MISSING  Advice is measured on a copy, and none was named.
    What to do: make one, on a server of the same kind, and name it with --scratch-url. With PostgreSQL's own tools:
      createdb DATABASE && pg_dump --no-owner 'postgres://DATABASE@HOST/DATABASE' | psql -q 'postgres://DATABASE@HOST/DATABASE'
    Or say --make-copy, where nobody needs the database for a minute: it lets nobody in while it is copied.
    "
  `);
});

it("a database larger than what --make-copy stands for", async () => {
  const { code, stderr } = await advise("--url", url, ...sqlFile(), "--make-copy", "1MB");
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /COPY_IMPOSSIBLE .* has [\d.]+ MB, and --make-copy stands for 1 MB at most/,
  );
});

it("--drop without --apply, and a page that can't be written, before anything is asked", async () => {
  const drop = await advise("--url", url, ...sqlFile(), "--drop");
  expect(drop).toMatchObject({ code: 2, stdout: "" });
  expect(drop.stderr).toContain("BAD_OPTION  --drop says what --apply may do.");
  const page = await advise(
    "--url",
    url,
    ...sqlFile(),
    "--html",
    join(folder.path, "gone", "page.html"),
  );
  expect(page).toMatchObject({ code: 2, stdout: "" });
  expect(page.stderr).toMatch(
    /^BAD_OPTION {2}--html FOLDER\/gone\/page.html can't be written \(ENOENT/,
  );
});

it("somebody else is connected", async () => {
  await using plain = await run.lease("pgextended");
  const other = new pg.Client(superuserUrl(plain));
  await other.connect();
  const { code, stderr } = await advise("--url", superuserUrl(plain), ...sqlFile());
  await other.end();
  expect(code).toBe(2);
  expect(stderr).toContain("COPY_IMPOSSIBLE");
  expect(stderr).toContain("somebody else is connected to it");
});

it("help is no error", async () => {
  const { code, stdout } = await advise("--help");
  expect(code).toBe(0);
  expect(stdout).toContain("--scratch-url");
});

it("nobody there", async () => {
  const nowhere = "postgres://me:secret@127.0.0.1:1/db";
  const { code, stderr } = await advise("--url", nowhere, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "1 statement from FOLDER/one.sql
    TARGET_UNAVAILABLE  The target gave no answer in time (connect ECONNREFUSED HOST). Look whether the server runs and can be reached at the address that the node was given, and try again: nothing is left half done that a further call would not put right.
    "
  `);
});

it("a wrong password", async () => {
  const wrong = new URL(url);
  wrong.password = "wrong";
  const { code, stderr } = await advise("--url", wrong.href, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "1 statement from FOLDER/one.sql
    NO_PERMISSION  The target refused to let the node in (password authentication failed for user "DATABASE"). Reading what everybody asks takes membership in pg_read_all_stats; building and dropping indexes takes the owner of the tables.
    "
  `);
});

it("no right to make a copy, and nothing left of the attempt", async () => {
  const { code, stderr } = await advise("--url", url, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr.replace(/[\d.]+ MB/, "SIZE")).toMatchInlineSnapshot(`
    "1 statement from FOLDER/one.sql
    copying DATABASE (SIZE) to DATABASE, which is dropped at the end; meanwhile nobody can connect to DATABASE
    COPY_IMPOSSIBLE  Advice is measured on a copy, and none could be made: this role may not create databases, or does not own the one to be copied.
    What to do: make one, on a server of the same kind, and name it with --scratch-url. With PostgreSQL's own tools:
      createdb DATABASE && pg_dump --no-owner 'postgres://DATABASE@HOST/DATABASE' | psql -q 'postgres://DATABASE@HOST/DATABASE'
    "
  `);
  expect(await asked(url, "SELECT FROM pg_database WHERE datname LIKE '%\\_advise\\_%'")).toEqual(
    [],
  );
});

it("the copy is the database itself", async () => {
  const { code, stderr } = await advise("--url", url, "--scratch-url", url, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "1 statement from FOLDER/one.sql
    SAME_DATABASE  --scratch-url names the very database that --url names.
    Likely cause: one address was copied and not changed.
    What to do: name a copy. Indexes are built and dropped there, which would be in everybody's way here.
    "
  `);
});

it("no pg_stat_statements in the database", async () => {
  await using plain = await run.lease("pgextended");
  const { code, stderr } = await advise("--url", await plain.urlFor("a"), "--make-copy");
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "EXTENSION_MISSING  The target has no workload to collect: this database has no pg_stat_statements. Put pg_stat_statements into shared_preload_libraries, restart the server, and run CREATE EXTENSION pg_stat_statements in this database. Or give statements with --sql.
    "
  `);
});

it("a server that only reads, as a replica does: no copy can be made there", async () => {
  await using plain = await run.lease("pgextended");
  const admin = new URL(superuserUrl(plain));
  admin.searchParams.set("options", "-c default_transaction_read_only=on");
  const { code, stderr } = await advise("--url", admin.href, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr).toContain("COPY_IMPOSSIBLE");
  expect(stderr).toContain("this server only reads");
});

it("a server that says that it is too old", async () => {
  // No such server is at hand; what it would answer is: a setting may be overridden where a function is found first.
  await asked(
    superuserUrl(target),
    "CREATE SCHEMA old",
    `CREATE FUNCTION old.current_setting(text) RETURNS text LANGUAGE sql AS
      $$ SELECT CASE $1 WHEN 'server_version_num' THEN '130014' WHEN 'server_version' THEN '13.14' ELSE pg_catalog.current_setting($1) END $$`,
    "GRANT USAGE ON SCHEMA old TO PUBLIC",
  );
  const old = new URL(url);
  old.searchParams.set("options", "-c search_path=old,pg_catalog,public");
  const { code, stderr } = await advise("--url", old.href, ...sqlFile());
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "1 statement from FOLDER/one.sql
    SERVER_TOO_OLD  The target is PostgreSQL 13.14; 15 is the oldest that this works with.
    What to do: restore a dump of it into a newer server, and let yourself be advised there.
    "
  `);
});

it("a server that goes away in the middle", async () => {
  await using server = createServer((socket) => {
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const { code, stderr } = await advise(
    "--url",
    `postgres://me@127.0.0.1:${port}/db`,
    ...sqlFile(),
  );
  expect(code).toBe(2);
  expect(stderr).toContain("TARGET_UNAVAILABLE");
  expect(stderr).toContain("Look whether the server runs");
});
