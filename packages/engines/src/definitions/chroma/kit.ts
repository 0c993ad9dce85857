import type { Kit, Session } from "../../conformance/kit.ts";

async function connect(url: string): Promise<Session> {
  const { ChromaClient } = await import("chromadb");
  const { hostname, port, searchParams } = new URL(url);
  const client = new ChromaClient({
    host: hostname,
    port: Number(port),
    ssl: false,
    tenant: searchParams.get("tenant") ?? "",
    database: searchParams.get("database") ?? "",
  });
  await client.heartbeat();
  const collection = () => client.getOrCreateCollection({ name: "kit", embeddingFunction: null });
  return {
    async set(key, value) {
      const kit = await collection();
      await kit.upsert({ ids: [key], embeddings: [[1, 0]], metadatas: [{ value }] });
    },
    async get(key) {
      const { metadatas } = await (await collection()).get<{ value: string }>({ ids: [key] });
      return metadatas[0]?.value;
    },
    close: async () => {},
  };
}

export const kit: Kit = {
  connect,
  reconnects: true,
  async prepare(url) {
    await (await connect(url)).set("prepared", "yes");
  },
};
