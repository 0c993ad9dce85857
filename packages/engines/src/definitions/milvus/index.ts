import { once } from "node:events";
import { connect as dial } from "node:net";
import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "milvus",
  title: "Milvus",
  licence: "Apache-2.0",
  capabilities: ["durable", ...ofAnyServer],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_MILVUS_URL",
  urlExample: "http://user:password@host:19530",
  process: recipe,
  container,
  async ready(adminUrl) {
    await listening(adminUrl);
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

/** Asked first, at next to no cost: to make a client takes a tenth of a second, and that a core. */
async function listening(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = dial(Number(port), hostname);
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
