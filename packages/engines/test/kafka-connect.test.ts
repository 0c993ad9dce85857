import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readAll, withAdmin } from "../src/definitions/kafka/client.ts";
import { ask, pathOf } from "../src/definitions/kafka-connect/rest.ts";
import { blackHole } from "../src/faults/blackHole.ts";
import { kill } from "../src/faults/kill.ts";
import { type EngineRun, fetchableUnasked, type Lease, openEngines } from "../src/index.ts";
import { eventually } from "./helpers.ts";

const { chosen } = await (async () => {
  await using run = await openEngines();
  return run.probe("kafka-connect");
})();

/** A busy machine takes its time for two Javas. */
const patienceMs = 100_000;

describe.runIf(chosen && fetchableUnasked(chosen))("Kafka Connect", { timeout: 240_000 }, () => {
  let run: EngineRun;
  beforeAll(async () => {
    // A Kafka of the user's own, which is not for this.
    run = await openEngines({ env: { ...process.env, KATA_KAFKA_URL: "kafka://127.0.0.1:1" } });
  });
  afterAll(() => run[Symbol.asyncDispose](), patienceMs);

  test("a row is told once, also when the worker is killed, or cut off from its Kafka", async () => {
    await using source = await run.lease("postgres");
    await using lease = await run.lease("kafka-connect", { isolation: "instance" });
    await using products = await productsIn(source);
    await products.add(1);
    await capture(lease, source);
    const told = () => toldBy(lease);
    await untilTold(lease, 1);
    const second = await products.add(2);
    await untilTold(lease, 2);
    // What the worker has not noted down yet comes again after a kill, as is promised: at least once.
    await eventually(
      () => notedBy(lease),
      (transaction) => transaction === second,
      patienceMs,
    );

    const killed = await lease.inject(kill);
    await products.add(3);
    await killed.heal();
    await untilTold(lease, 3);

    const kafka = lease.base as Lease;
    const cut = await kafka.inject(blackHole, { nodes: ["kafka-connect"] });
    await products.add(4);
    expect(await told()).not.toContain(4);
    await cut.heal();
    await untilTold(lease, 4);
    expect((await told()).toSorted()).toEqual([1, 2, 3, 4]);
  });

  test("two leases on one worker have connectors, topics and slots of their own, and take them along", async () => {
    await using source = await run.lease("postgres");
    await using products = await productsIn(source);
    await products.add(1);
    const [one, other] = await Promise.all([
      run.lease("kafka-connect"),
      run.lease("kafka-connect"),
    ]);
    expect(one.base?.namespace).toBe(one.namespace);
    expect(one.base?.engine.adminUrl).toBe(other.base?.engine.adminUrl);
    for (const lease of [one, other]) await capture(lease, source);
    for (const lease of [one, other]) await untilTold(lease, 1);
    await one[Symbol.asyncDispose]();
    expect(await ask(other.adminUrl, "GET", "connectors")).toEqual([`${other.namespace}.products`]);
    await products.add(2);
    await untilTold(other, 2);
    await other[Symbol.asyncDispose]();
  });

  test("a clone's connectors are its template's, in its own namespace", async () => {
    const template = {
      key: "heartbeats",
      async build(url: string) {
        const prefix = new URL(url).searchParams.get("prefix");
        await ask(url, "POST", "connectors", {
          name: `${prefix}.heartbeats`,
          initial_state: "PAUSED",
          config: {
            "connector.class": "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector",
            "source.cluster.alias": "here",
            "target.cluster.alias": "there",
            "heartbeats.topic": `${prefix}.beats`,
          },
        });
      },
    };
    await using first = await run.lease("kafka-connect", { template });
    await using clone = await run.lease("kafka-connect", { template });
    for (const { adminUrl, namespace } of [first, clone]) {
      const path = pathOf(`${namespace}.heartbeats`);
      expect(await ask(adminUrl, "GET", `${path}/config`)).toMatchObject({
        name: `${namespace}.heartbeats`,
        "heartbeats.topic": `${namespace}.beats`,
      });
      await eventually(
        () => ask(adminUrl, "GET", `${path}/status`).catch(() => undefined),
        (status) => JSON.stringify(status)?.includes('"state":"PAUSED"') === true,
        patienceMs,
      );
    }
  });
});

async function productsIn({ adminUrl }: Lease) {
  const client = new pg.Client(adminUrl);
  await client.connect();
  await client.query("CREATE TABLE products (id int PRIMARY KEY)");
  return {
    /** @returns its transaction */
    async add(id: number): Promise<number> {
      const insert = "INSERT INTO products VALUES ($1) RETURNING pg_current_xact_id()::text AS tx";
      return Number((await client.query(insert, [id])).rows[0].tx);
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** Has Debezium tell of the products. Its slot and publication are the lease's own as well. */
async function capture({ adminUrl, namespace }: Lease, source: Lease): Promise<void> {
  // Who reads the log of changes, and says which tables' are in it, has rights over the server.
  const { hostname, port, username, password } = new URL(source.engine.adminUrl);
  await ask(adminUrl, "PUT", `${pathOf(`${namespace}.products`)}/config`, {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "plugin.name": "pgoutput",
    "topic.prefix": namespace,
    "slot.name": namespace,
    "publication.name": namespace,
    "publication.autocreate.mode": "filtered",
    "table.include.list": "public.products",
    // Kafka makes no topic by itself.
    "topic.creation.default.partitions": "1",
    "topic.creation.default.replication.factor": "1",
    "database.hostname": hostname,
    "database.port": port,
    "database.user": decodeURIComponent(username),
    "database.password": decodeURIComponent(password),
    "database.dbname": source.namespace,
  });
}

/** The products of which a topic tells, as often as it does. */
async function toldBy({ base, namespace }: Lease): Promise<number[]> {
  const url = base?.adminUrl ?? "";
  const topic = `${namespace}.public.products`;
  return withAdmin(url, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return [];
    const records = await readAll(url, topic, admin);
    return records.map(({ value }) => JSON.parse(String(value)).after.id as number);
  });
}

/** Waits until a topic tells of a product; fails with what the worker says of its connector. */
async function untilTold(lease: Lease, id: number): Promise<void> {
  try {
    await eventually(
      () => toldBy(lease),
      (ids) => ids.includes(id),
      patienceMs,
    );
  } catch (cause) {
    const path = `${pathOf(`${lease.namespace}.products`)}/status`;
    const status = await ask(lease.adminUrl, "GET", path).catch(String);
    throw new Error(`Product ${id} is not told of: ${JSON.stringify(status)}`, { cause });
  }
}

/** The last transaction of which a worker would know after a kill that it has told. */
async function notedBy({ adminUrl, namespace }: Lease): Promise<number | undefined> {
  const path = `${pathOf(`${namespace}.products`)}/offsets`;
  const { offsets } = await ask<{ offsets: { offset: { txId?: number } }[] }>(
    adminUrl,
    "GET",
    path,
  );
  return offsets[0]?.offset.txId;
}
