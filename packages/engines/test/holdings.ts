/** Everything by name that a server of each kind holds: what was there before must be there after, and no more. */
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import mysql from "mysql2/promise";
import pg from "pg";
import { withAdmin } from "../src/definitions/kafka/client.ts";
import { driverFor } from "../src/definitions/neo4j/client.ts";

async function databasesAndRoles(url: string): Promise<unknown> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query(
    "SELECT datname AS name FROM pg_database UNION ALL SELECT rolname FROM pg_roles ORDER BY name",
  );
  await client.end();
  return rows;
}

async function json<T>(url: string, path: string): Promise<T> {
  return (await fetch(new URL(path, url))).json() as Promise<T>;
}

/** By engine: what lists it, given the address of an administrator. */
export const holdings: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  postgres: databasesAndRoles,
  pgvector: databasesAndRoles,
  timescaledb: databasesAndRoles,

  async redis(url) {
    const client = new Redis(url);
    const held = [await client.info("keyspace"), await client.acl("USERS")];
    client.disconnect();
    return held;
  },

  async mysql(url) {
    const client = await mysql.createConnection(url);
    const [databases] = await client.query("SHOW DATABASES");
    const [users] = await client.query("SELECT user FROM mysql.user ORDER BY user");
    await client.end();
    return [databases, users];
  },

  async mongodb(url) {
    const client = new MongoClient(url);
    const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
    await client.close();
    return databases.map(({ name }) => name).sort();
  },

  async clickhouse(url) {
    const { origin, username, password } = new URL(url);
    const asked = new URL("/?query=SHOW DATABASES", origin);
    const headers = username
      ? { "X-ClickHouse-User": username, "X-ClickHouse-Key": decodeURIComponent(password) }
      : {};
    return (await fetch(asked, { headers })).text();
  },

  async chroma(url) {
    const databases = await json<{ name: string }[]>(
      url,
      "/api/v2/tenants/default_tenant/databases",
    );
    return databases.map(({ name }) => name).sort();
  },

  async milvus(url) {
    const { MilvusClient } = await import("@zilliz/milvus2-sdk-node");
    const client = new MilvusClient({ address: new URL(url).host });
    await client.connectPromise;
    const { db_names } = await client.listDatabases();
    await client.closeConnection();
    return [...db_names].sort();
  },

  kafka: (url) =>
    withAdmin(url, async (admin) => {
      const { groups } = await admin.listGroups();
      return [(await admin.listTopics()).sort(), groups.map(({ groupId }) => groupId).sort()];
    }),

  async neo4j(url) {
    const driver = driverFor(url);
    const session = driver.session();
    const nodes = await session.run("MATCH (n) RETURN labels(n), properties(n)");
    const indexes = await session.run("SHOW INDEXES YIELD name, type");
    await driver.close();
    return [nodes, indexes].map(({ records }) => records.map((record) => record.toObject()));
  },

  async qdrant(url) {
    const { result } = await json<{ result: { collections: { name: string }[] } }>(
      url,
      "/collections",
    );
    return result.collections.map(({ name }) => name).sort();
  },

  async weaviate(url) {
    const { classes } = await json<{ classes: { class: string }[] }>(url, "/v1/schema");
    return classes.map((each) => each.class).sort();
  },
};
