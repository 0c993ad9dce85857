import {
  type FieldType,
  MilvusClient,
  type ResStatus,
  type RowData,
} from "@zilliz/milvus2-sdk-node";
import type { Databases } from "../../databases.ts";
import type { Server } from "../../definition.ts";

/** Rows that are copied at a time. */
const page = 1_000;
/** In which a collection must be loaded. */
const loadingMs = 60_000;

/** A namespace is a database; its address names it in the path. */
export class MilvusDatabases implements Databases {
  readonly #server: Server;
  #admin: { readonly url: string; readonly client: Promise<MilvusClient> } | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  async create(name: string): Promise<void> {
    assert(await (await this.#client()).createDatabase({ db_name: name }));
  }

  async exists(name: string): Promise<boolean> {
    const client = await this.#client();
    const { db_names } = await client.listDatabases();
    if (!db_names.includes(name)) return false;
    return (await client.showCollections({ db_name: name })).data.length > 0;
  }

  async copy(from: string, to: string): Promise<void> {
    const client = await this.#client();
    for (const { name } of (await client.showCollections({ db_name: from })).data)
      await copyCollection(client, from, to, name);
  }

  async drop(name: string): Promise<void> {
    const client = await this.#client();
    const { data } = await client.showCollections({ db_name: name });
    for (const { name: collection_name } of data)
      assert(await client.dropCollection({ db_name: name, collection_name }));
    assert(await client.dropDatabase({ db_name: name }));
  }

  url(name: string): string {
    const url = new URL(this.#server.adminUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  async close(): Promise<void> {
    const client = await this.#admin?.client.catch(() => undefined);
    await client?.closeConnection();
  }

  /** Making one takes a tenth of a second: it reads the protocol. */
  #client(): Promise<MilvusClient> {
    // A restart may have changed the server's port.
    if (this.#admin?.url !== this.#server.adminUrl) {
      this.close().catch(() => {});
      const url = this.#server.adminUrl;
      this.#admin = { url, client: connect(url) };
    }
    return this.#admin.client;
  }
}

/** @param url its path names the database */
export async function connect(url: string): Promise<MilvusClient> {
  const { host, pathname, username, password } = new URL(url);
  const client = new MilvusClient({
    address: host,
    ...(pathname.length > 1 ? { database: pathname.slice(1) } : {}),
    ...(username
      ? { username: decodeURIComponent(username), password: decodeURIComponent(password) }
      : {}),
    // Whoever connects asks again by himself, and at once: a pause after a refusal is each client's own.
    maxRetries: 0,
    channelOptions: { "grpc.use_local_subchannel_pool": 1 },
    logLevel: "error",
    telemetry: { enabled: false },
  });
  try {
    await client.connectPromise;
    return client;
  } catch (error) {
    await client.closeConnection();
    throw error;
  }
}

/** Has what is in a collection ready to be read; asks sooner than the client would by itself. */
export async function load(
  client: MilvusClient,
  where: { readonly collection_name: string; readonly db_name?: string },
): Promise<void> {
  assert(await client.loadCollectionAsync(where));
  const deadline = Date.now() + loadingMs;
  for (;;) {
    const { status, progress } = await client.getLoadingProgress(where);
    assert(status);
    if (Number(progress) >= 100) return;
    if (Date.now() > deadline) throw new Error(`Milvus: ${where.collection_name} isn't loaded`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** One client for both ends, which each request names: to make one costs more than to copy a few rows. */
async function copyCollection(
  client: MilvusClient,
  from: string,
  to: string,
  collection_name: string,
) {
  const source = { db_name: from, collection_name };
  const target = { db_name: to, collection_name };
  const { schema, consistency_level } = await client.describeCollection(source);
  if (schema.functions.length > 0 || schema.fields.some(({ autoID }) => autoID))
    throw new Error(
      `the template's collection ${collection_name} has functions or ids of Milvus's making, and can't be cloned`,
    );
  // Only what is loaded can be read; milvus-lite has forgotten what was, once it is restarted.
  await load(client, source);
  const fields = schema.fields.map(({ type_params, ...field }) => ({
    ...field,
    ...Object.fromEntries(type_params.map(({ key, value }) => [key, value])),
  }));
  assert(
    await client.createCollection({
      ...target,
      fields: fields as unknown as FieldType[],
      enable_dynamic_field: schema.enable_dynamic_field,
      consistency_level,
    }),
  );
  const { data: partitions } = await client.showPartitions(source);
  for (const { name: partition_name } of partitions) {
    const where = { ...target, partition_name };
    if (!(await client.hasPartition(where)).value) assert(await client.createPartition(where));
    await copyRows(client, { ...source, partition_name }, where);
  }
  const indexes = await client.describeIndex(source);
  for (const { field_name, index_name, params } of indexes.index_descriptions) {
    const given = Object.fromEntries(params.map(({ key, value }) => [key, String(value)]));
    const extra_params = { metric_type: "", ...given };
    assert(await client.createIndex({ ...target, field_name, index_name, extra_params }));
  }
  await load(client, target);
}

interface Partition {
  readonly db_name: string;
  readonly collection_name: string;
  readonly partition_name: string;
}

async function copyRows(client: MilvusClient, from: Partition, to: Partition) {
  const { partition_name, ...collection } = from;
  const pages = await client.queryIterator({
    ...collection,
    partition_names: [partition_name],
    output_fields: ["*"],
    batchSize: page,
  });
  for await (const rows of pages) {
    const data = rows.map(({ $meta, ...row }: RowData) => ({ ...row, ...Object($meta) }));
    if (data.length > 0) assert((await client.insert({ ...to, data })).status);
  }
}

function assert({ error_code, reason }: ResStatus): void {
  if (error_code !== "Success") throw new Error(`Milvus: ${reason} (${error_code})`);
}
