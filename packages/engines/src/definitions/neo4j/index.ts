import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "neo4j",
  title: "Neo4j",
  licence: "GPL-3.0-only (Community)",
  capabilities: ["transactions", "durable", ...ofAnyServer],
  alone: true,
  recycling: {
    open: async ({ adminUrl }) => (await import("./recycling.ts")).recycler(adminUrl),
  },
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_NEO4J_URL",
  urlExample: "bolt://user:password@host:7687",
  process: recipe,
  container,
  async ready(adminUrl) {
    const { versionAt } = await import("./client.ts");
    return versionAt(adminUrl);
  },
  async openNamespaces(server) {
    const { WholeServer } = await import("../../whole-server.ts");
    const { clear, isEmpty } = await import("./client.ts");
    return new WholeServer(server, {
      isEmpty: () => isEmpty(server.adminUrl),
      clear: () => clear(server.adminUrl),
    });
  },
};
