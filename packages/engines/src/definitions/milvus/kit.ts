import { DataType } from "@zilliz/milvus2-sdk-node";
import type { Kit, Session } from "../../conformance/kit.ts";
import { load, connect as open } from "./namespaces.ts";

const collection_name = "kit";

async function connect(url: string): Promise<Session> {
  const client = await open(url);
  // Milvus comes back with what was loaded, milvus-lite with nothing.
  if ((await client.hasCollection({ collection_name })).value)
    await load(client, { collection_name });
  return {
    async set(key, value) {
      if (!(await client.hasCollection({ collection_name })).value) {
        await client.createCollection({
          collection_name,
          fields: [
            { name: "key", data_type: DataType.VarChar, is_primary_key: true, max_length: 200 },
            { name: "value", data_type: DataType.VarChar, max_length: 10_000 },
            { name: "vector", data_type: DataType.FloatVector, dim: 2 },
          ],
          index_params: [{ field_name: "vector", index_type: "FLAT", metric_type: "L2" }],
        });
      }
      const data = [{ key, value, vector: [1, 0] }];
      const { status } = await client.upsert({ collection_name, data });
      if (status.error_code !== "Success") throw new Error(status.reason);
    },
    async get(key) {
      if (!(await client.hasCollection({ collection_name })).value) return undefined;
      const found = await client.get({ collection_name, ids: [key], output_fields: ["value"] });
      if (found.status.error_code !== "Success") throw new Error(found.status.reason);
      return found.data[0]?.value;
    },
    close: async () => void (await client.closeConnection()),
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
