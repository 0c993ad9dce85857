import { execFile } from "node:child_process";
import { once } from "node:events";
import { appendFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Arrivals, note } from "../src/arrivals.ts";
import { restart } from "../src/faults/restart.ts";
import { type EngineRun, openEngines } from "../src/index.ts";
import { ownFolder } from "./helpers.ts";

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

/** An address as an app node has it, or one that leads there past the proxy. */
async function addresses(engine: string) {
  const lease = await run.lease(engine);
  const given = await lease.urlFor("a");
  const around = new URL(given);
  around.port = new URL(lease.adminUrl).port;
  return {
    lease,
    given,
    around: around.href,
    [Symbol.asyncDispose]: () => lease[Symbol.asyncDispose](),
  };
}

async function redis(url: string): Promise<Redis & Disposable> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.disconnect() });
}

async function postgres(url: string): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

describe("what a submission's role in Redis may not do", () => {
  const refused = [
    ["read the configuration", ["CONFIG", "GET", "port"]],
    ["change it", ["CONFIG", "SET", "loglevel", "warning"]],
    ["see other connections", ["CLIENT", "LIST"]],
    ["end them", ["CLIENT", "KILL", "TYPE", "normal"]],
    ["listen to others", ["MONITOR"]],
    ["empty all databases", ["FLUSHALL"]],
    ["swap them", ["SWAPDB", "0", "1"]],
    ["enter another lease's database", ["SELECT", "900"]],
    ["do so in a script", ["EVAL", "return redis.call('select', 900)", "0"]],
    ["move a key there", ["MOVE", "key", "900"]],
    ["make itself another role", ["ACL", "SETUSER", "me", "on", "nopass", "+@all"]],
    ["load a module", ["MODULE", "LOAD", "/tmp/x.so"]],
    ["replicate from elsewhere", ["REPLICAOF", "127.0.0.1", "1"]],
    ["send keys elsewhere", ["MIGRATE", "127.0.0.1", "1", "key", "0", "10"]],
    ["debug", ["DEBUG", "SLEEP", "0"]],
    ["stop it", ["SHUTDOWN", "NOSAVE"]],
  ] as const;

  it.each(refused)("%s", async (_, [command, ...args]) => {
    await using lent = await addresses("redis");
    using client = await redis(lent.given);
    await expect(client.call(command, ...args)).rejects.toThrow(
      /NOPERM|permission|not allowed|can.t run this command/,
    );
  });

  it("be another lease's", async () => {
    await using one = await addresses("redis");
    await using other = await addresses("redis");
    const [mine, theirs] = [new URL(one.given), new URL(other.given)];
    expect(mine.username).not.toBe(theirs.username);
    using client = await redis(one.given);
    await expect(client.call("AUTH", theirs.username, mine.password)).rejects.toThrow("WRONGPASS");
    await expect(client.call("AUTH", "app", mine.password)).rejects.toThrow("WRONGPASS");
  });

  it("go on when its lease is over", async () => {
    const lent = await addresses("redis");
    using client = await redis(lent.around);
    const ended = new Promise((resolve) => client.once("end", resolve));
    await lent[Symbol.asyncDispose]();
    await ended;
    await expect(redis(lent.around)).rejects.toThrow();
  });
});

describe("what a submission's role in PostgreSQL may not do", () => {
  const refused = [
    ["run a program", "COPY (SELECT 1) TO PROGRAM 'true'"],
    ["write a file", "COPY (SELECT 1) TO '/tmp/kata-rights'"],
    ["read a file", "SELECT pg_read_file('postgresql.conf')"],
    ["list folders", "SELECT pg_ls_dir('.')"],
    ["change the server", "ALTER SYSTEM SET fsync = on"],
    ["make itself another role", "CREATE ROLE another SUPERUSER"],
    ["become the administrator", "SET ROLE kata_admin"],
    ["make a database", "CREATE DATABASE another"],
    ["read password hashes", "SELECT rolpassword FROM pg_authid"],
    ["hide from the log", "SET log_connections = ''"],
    [
      "end others' connections",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'kata_admin%'",
    ],
  ] as const;

  it.each(refused)("%s", async (_, statement) => {
    await using lent = await addresses("postgres");
    // Somebody whom it could end.
    await using admin = await postgres(lent.lease.adminUrl);
    await using client = await postgres(lent.given);
    await expect(client.query(statement)).rejects.toThrow(
      /permission denied|must be superuser|cannot be (set|changed)/,
    );
    await admin.query("SELECT 1");
  });

  it("enter the server's own databases, or those of another template", async () => {
    await using lent = await addresses("postgres");
    const template = { key: "another", build: async () => {} };
    await using other = await run.lease("postgres", { template });
    for (const database of ["postgres", "template1", other.namespace]) {
      const url = new URL(lent.given);
      url.pathname = `/${database}`;
      await expect(postgres(url.href)).rejects.toThrow("permission denied");
    }
  });

  it("is no superuser", async () => {
    await using lent = await addresses("postgres");
    await using client = await postgres(lent.given);
    const { rows } = await client.query(
      "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = current_user",
    );
    expect(Object.values(rows[0])).toEqual([false, false, false, false, false]);
  });
});

describe("what a grader's session may not do, should a submission get it to", () => {
  /** Each does something that only a superuser may, as soon as somebody else touches what is there. */
  const lures = {
    "a trigger of a table that it writes to": `
      CREATE TABLE t (id int);
      CREATE FUNCTION lure() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'RESET ROLE'; COPY (SELECT 1) TO PROGRAM 'true'; RETURN NULL; END $$;
      CREATE TRIGGER lure AFTER INSERT ON t EXECUTE FUNCTION lure()`,
    "a function that hides PostgreSQL's own": `
      CREATE TABLE t (id int);
      CREATE FUNCTION lure(name, name) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        EXECUTE 'RESET ROLE'; COPY (SELECT 1) TO PROGRAM 'true'; RETURN true; END $$;
      CREATE OPERATOR + (leftarg = name, rightarg = name, function = lure)`,
  };
  const touched = [
    "INSERT INTO t VALUES (1)",
    "SELECT relname + relname FROM pg_class LIMIT 1",
  ] as const;

  it.each(Object.entries(lures).map(([what, sql], i) => [what, sql, touched[i] ?? ""]))(
    "%s",
    async (_, sql, statement) => {
      await using lent = await addresses("postgres");
      await using mine = await postgres(lent.given);
      await mine.query(sql);
      await using grader = await postgres(lent.lease.adminUrl);
      const { rows } = await grader.query(
        "SELECT quote_ident(pg_get_userbyid(datdba)) AS owner FROM pg_database WHERE datname = current_database()",
      );
      for (const role of ["NONE", rows[0].owner]) {
        await grader.query(`SET ROLE ${role}`);
        await expect(grader.query(statement)).rejects.toThrow("permission denied");
      }
    },
  );

  it("yet everything in its lease's database, whoever owns it, and nothing in another's", async () => {
    await using lent = await addresses("postgres");
    await using other = await run.lease("postgres", {
      template: { key: "another", build: async () => {} },
    });
    await using mine = await postgres(lent.given);
    await mine.query(
      "CREATE SCHEMA own; CREATE TABLE own.t (id int); INSERT INTO own.t VALUES (1); ALTER TABLE own.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    );
    await using grader = await postgres(lent.lease.adminUrl);
    const { rows } = await grader.query("UPDATE own.t SET id = 2 RETURNING id");
    expect(rows).toEqual([{ id: 2 }]);
    await grader.query("BEGIN; LOCK TABLE own.t; ANALYZE own.t; ROLLBACK; DROP TABLE own.t");
    await grader.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user AND datname = current_database()",
    );
    await expect(mine.query("SELECT 1")).rejects.toThrow();
    const elsewhere = new URL(lent.lease.adminUrl);
    for (const database of ["postgres", other.namespace]) {
      elsewhere.pathname = `/${database}`;
      await expect(postgres(elsewhere.href)).rejects.toThrow("permission denied");
    }
  });
});

/** Connections of this process are its own: somebody else's come from another one. */
const scripts: Readonly<Record<string, string>> = {
  redis: `const { Redis } = require("ioredis");
    const client = new Redis(process.argv[1]);
    client.get("key").then(() => client.disconnect());`,
  postgres: `const client = new (require("pg").Client)(process.argv[1]);
    client.connect().then(() => client.query("SELECT 1")).then(() => client.end());`,
};

describe.each(["redis", "postgres"])("a connection to %s around the proxy", (engine) => {
  const elsewhere = (url: string) =>
    promisify(execFile)(process.execPath, ["-e", scripts[engine] ?? "", url], {
      cwd: import.meta.dirname,
    });

  it("is told of, also when it is over", async () => {
    await using lent = await addresses(engine);
    await elsewhere(lent.around);
    expect(await lent.lease.detours()).toBe(1);
  });

  it("is none that came through it, nor one of the grader's", async () => {
    await using lent = await addresses(engine);
    await elsewhere(lent.given);
    if (engine === "redis") {
      using client = await redis(lent.lease.adminUrl);
      await client.ping();
    } else {
      await using client = await postgres(lent.lease.adminUrl);
      await client.query("SELECT 1");
    }
    expect(await lent.lease.detours()).toBe(0);
  });

  it("is none that was given up before it was open", async () => {
    await using lent = await addresses(engine);
    const proxy = Number(new URL(lent.given).port);
    for (let i = 0; i < 50; i++) {
      const closed = Promise.withResolvers<void>();
      const client = connect(proxy, "127.0.0.1", () => client.resetAndDestroy());
      client.once("close", () => closed.resolve());
      await closed.promise;
      if (engine === "redis") connect(Number(new URL(lent.around).port), "127.0.0.1").destroy();
    }
    await elsewhere(lent.given);
    expect(await lent.lease.detours()).toBe(0);
  });

  it("is told of across a restart", async () => {
    await using lease = await run.lease(engine, { isolation: "instance" });
    const given = await lease.urlFor("a");
    const fault = await lease.inject(restart);
    await fault.heal();
    await elsewhere(given);
    expect(await lease.detours()).toBe(0);
    const around = new URL(given);
    around.port = new URL(lease.adminUrl).port;
    await elsewhere(around.href);
    expect(await lease.detours()).toBe(1);
  });
});

it("a port that was ours once does not make somebody else's connection ours", async () => {
  await using folder = await ownFolder();
  const log = join(folder.path, "server.log");
  const arrivals = new Arrivals(log, /^from (?<port>\d+) to (?<namespace>\w+)$/gm);
  arrivals.follow(1);
  const before = new Arrivals(log, /^$/gm);
  before.follow(1);
  note(1, 50_000);
  note(1, 50_001);
  before.end();
  await appendFile(log, "from 50000 to mine\nfrom 50001 to mine\nfrom 500");
  expect(await arrivals.strangers(0, "mine")).toBe(0);
  const later = arrivals.now();
  await appendFile(log, "00 to mine\n");
  expect(await arrivals.strangers(0, "mine")).toBe(1);
  expect(await arrivals.strangers(0, "other")).toBe(0);
  await appendFile(log, "from 50001 to mine\n");
  expect(await arrivals.strangers(later, "mine")).toBe(1);
  arrivals.end();
});

it("a connection that is given up here counts at the server where it led, and at no other", async () => {
  await using folder = await ownFolder();
  const log = join(folder.path, "server.log");
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [there, elsewhere] = [port, 1].map((to) => {
    const arrivals = new Arrivals(log, /^from (?<port>\d+) to (?<namespace>\w+)$/gm);
    arrivals.follow(to);
    return arrivals;
  }) as [Arrivals, Arrivals];
  const client = connect(port, "127.0.0.1");
  let from: number | undefined;
  client.once("connectionAttempt", () =>
    process.nextTick(() => {
      from = client.localPort;
      client.destroy();
    }),
  );
  await once(client, "close");
  await appendFile(log, `from ${from} to mine\n`);
  expect(await there.strangers(0, "mine")).toBe(0);
  expect(await elsewhere.strangers(0, "mine")).toBe(1);
  for (const arrivals of [there, elsewhere]) arrivals.end();
  server.close();
});
