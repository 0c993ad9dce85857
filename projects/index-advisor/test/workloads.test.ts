import { openEngines } from "@db-katas/engines";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadWorkload, workloadNames } from "../workloads/index.ts";

const run = await openEngines();
afterAll(() => run[Symbol.asyncDispose]());

async function fingerprint(client: pg.Client): Promise<Record<string, string>> {
  const { rows: tables } = await client.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
  );
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ hash: string }>(
      `SELECT count(*) || ' ' || md5(string_agg(md5(t::text), '' ORDER BY t::text)) AS hash FROM ${name} AS t`,
    );
    found[name] = rows[0]?.hash ?? "";
  }
  return found;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  await client.connect();
  return client;
}

describe.for(workloadNames)("%s", (name) => {
  const seeds = [1, 1, 2] as const;
  const opened: AsyncDisposable[] = [];
  const clients: pg.Client[] = [];
  let sized = { scale: 0, seed: 0 };

  beforeAll(async () => {
    const workload = await loadWorkload(name);
    for (const seed of seeds) {
      const lease = await run.lease("pgextended");
      opened.push(lease);
      const client = await connected(await lease.urlFor("a"));
      clients.push(client);
      sized = { scale: workload.smallScale / 5, seed };
      await workload.load(client, sized);
    }
  }, 120_000);
  afterAll(async () => {
    for (const client of clients) await client.end();
    for (const lease of opened) await lease[Symbol.asyncDispose]();
  });

  it("is its folder's name", async () => {
    expect((await loadWorkload(name)).name).toBe(name);
  });

  it("has the same rows and statements for the same seed, others for another", async () => {
    const [one, same, other] = await Promise.all(clients.map(fingerprint));
    expect(Object.values(one ?? {}).some((hash) => Number.parseInt(hash, 10) >= 1_000)).toBe(true);
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    const workload = await loadWorkload(name);
    const { scale } = sized;
    expect(workload.statements({ scale, seed: 1 })).toEqual(
      workload.statements({ scale, seed: 1 }),
    );
    expect(workload.statements({ scale, seed: 1 })).not.toEqual(
      workload.statements({ scale, seed: 2 }),
    );
  });

  it("asks nothing that the database doesn't understand", async () => {
    const [client] = clients;
    const workload = await loadWorkload(name);
    for (const { sql, calls } of workload.statements({ ...sized, seed: 1 })) {
      expect(calls).toBeGreaterThan(0);
      // Parameters' types are found, and the tables, but nothing is planned for a `$1`.
      await client?.query(`PREPARE asked AS ${sql}`);
      await client?.query("DEALLOCATE asked");
    }
  });
});
