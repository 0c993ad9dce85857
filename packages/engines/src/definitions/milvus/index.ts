import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "milvus",
  title: "Milvus",
  licence: "Apache-2.0",
  capabilities: [
    "durable",
    "network",
    "kill",
    "stop",
    "pause",
    "restart",
    "restartEmpty",
    "restartStale",
    "delay",
    "partition",
  ],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_MILVUS_URL",
  urlExample: "http://user:password@host:19530",
  process: recipe,
  container,
  async ready(adminUrl) {
    const { connect } = await import("./namespaces.ts");
    const client = await connect(adminUrl);
    try {
      return (await client.getVersion()).version;
    } finally {
      await client.closeConnection();
    }
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { MilvusDatabases } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new MilvusDatabases(server));
  },
};
