import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type EngineRun, openEngines } from "../src/index.ts";
import { eventually } from "./helpers.ts";

let run: EngineRun;
beforeAll(async () => {
  run = await openEngines();
});
afterAll(() => run[Symbol.asyncDispose]());

test("databases on two servers of a run have different names, so what is called after them does, too", async () => {
  await using shared = await run.lease("postgres");
  await using own = await run.lease("postgres", { isolation: "instance" });
  expect(own.engine.adminUrl).not.toBe(shared.engine.adminUrl);
  expect(own.namespace).not.toBe(shared.namespace);
});

test("a lease that ends takes a replication slot along, even while somebody reads from it", async () => {
  await using other = await run.lease("postgres");
  const lease = await run.lease("postgres");
  expect(other.engine.adminUrl).toBe(lease.engine.adminUrl);
  const slot = lease.namespace;
  const url = new URL(lease.engine.adminUrl);
  await using admin = await entered({ connectionString: url.href });
  const isActive = async () => {
    const question = "SELECT active FROM pg_replication_slots WHERE slot_name = $1";
    return (await admin.query<{ active: boolean }>(question, [slot])).rows[0]?.active;
  };

  url.pathname = `/${lease.namespace}`;
  await using reader = await entered({ connectionString: url.href, replication: "database" });
  await reader.query(`CREATE PUBLICATION everything FOR ALL TABLES`);
  await reader.query(`CREATE_REPLICATION_SLOT ${slot} LOGICAL pgoutput`);
  const reading = reader
    .query(
      `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names 'everything')`,
    )
    .catch((error: Error) => error);
  await eventually(isActive, (active) => active === true);

  await lease[Symbol.asyncDispose]();
  await eventually(isActive, (active) => active === undefined);
  expect(await reading).toBeInstanceOf(Error);
});

async function entered(
  config: pg.ClientConfig & { replication?: "database" },
): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client(config);
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
