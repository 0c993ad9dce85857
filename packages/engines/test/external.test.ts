import { Redis } from "ioredis";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { describeEngine } from "../src/conformance/index.ts";
import { openEngines } from "../src/index.ts";

// Private servers of another run stand for the user's own.
const host = await openEngines();
afterAll(() => host[Symbol.asyncDispose]());
const redis = await host.lease("redis", { isolation: "instance" });
const postgres = await host.lease("postgres", { isolation: "instance" });
const env = {
  ...process.env,
  KATA_ENGINES: "external",
  KATA_REDIS_URL: redis.engine.adminUrl,
  KATA_POSTGRES_URL: postgres.engine.adminUrl,
};

for (const name of ["redis", "postgres"]) await describeEngine(name, { env });

test("the user's own data is not touched, and nothing of ours stays", async () => {
  const keys = new Redis(redis.engine.adminUrl);
  await keys.set("mine", "precious");
  const rows = new pg.Client(postgres.engine.adminUrl);
  await rows.connect();
  const ours =
    "SELECT datname AS name FROM pg_database WHERE datname LIKE 'kata%' UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'kata%'";
  const before = (await rows.query(ours)).rows;

  const [first, second] = [await openEngines({ env }), await openEngines({ env })];
  const leases = await Promise.all(
    [first, second].flatMap((run) => [
      run.lease("redis"),
      run.lease("redis"),
      run.lease("postgres"),
    ]),
  );
  const numbers = leases
    .filter((lease) => lease.engine.name === "redis")
    .map((lease) => lease.namespace);
  expect(new Set(numbers).size).toBe(4);
  expect(numbers).not.toContain("0");
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();

  expect(await keys.get("mine")).toBe("precious");
  expect(await keys.info("keyspace")).toMatch(/^# Keyspace\r\ndb0:keys=1,\S+\r\n$/);
  expect(await keys.acl("USERS")).toEqual(["app", "default", "kata_admin"]);
  expect((await rows.query(ours)).rows).toEqual(before);
  keys.disconnect();
  await rows.end();
});

test("a server that can't be had for one lease alone says so", async () => {
  await using run = await openEngines({ env });
  await expect(run.lease("redis", { isolation: "instance" })).rejects.toThrow(
    /can't be had for one lease alone/,
  );
});
