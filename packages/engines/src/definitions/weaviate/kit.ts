import weaviate, { dataType, generateUuid5, type WeaviateClient } from "weaviate-client";
import type { Kit, Session } from "../../conformance/kit.ts";

const name = "Kit";
const patienceMs = 30_000;

/**
 * Clients of one address share their gRPC connection, within a process; once it is refused, it waits
 * longer and longer before it is tried again, whoever asks (gRPC's "connection backoff").
 */
async function open(url: string): Promise<WeaviateClient> {
  const { hostname, port, searchParams } = new URL(url);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await weaviate.connectToCustom({
        httpHost: hostname,
        httpPort: Number(port),
        grpcHost: hostname,
        grpcPort: Number(searchParams.get("grpc")),
      });
    } catch (error) {
      // It asks over gRPC only after it has been answered over HTTP.
      if (!/grpc/i.test(String(error)) || Date.now() > deadline) throw error;
    }
  }
}

/** Collections are made over HTTP; objects are written and read over gRPC. */
async function connect(url: string): Promise<Session> {
  const client = await open(url);
  const kit = client.collections.use<"Kit", { value: string }>(name);
  return {
    async set(key, value) {
      if (!(await client.collections.exists(name)))
        await client.collections.create({
          name,
          properties: [{ name: "value", dataType: dataType.TEXT }],
        });
      const object = { id: generateUuid5(key), properties: { value }, vectors: [1, 0] };
      const { hasErrors, errors } = await kit.data.insertMany([object]);
      if (hasErrors) throw new Error(errors[0]?.message);
    },
    async get(key) {
      if (!(await client.collections.exists(name))) return undefined;
      return (await kit.query.fetchObjectById(generateUuid5(key)))?.properties.value;
    },
    close: () => client.close(),
  };
}

export const kit: Kit = {
  connect,
  reconnects: true,
  async prepare(url) {
    const session = await connect(url);
    await session.set("prepared", "yes");
    await session.close();
  },
};
