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
  image: pinnedImage(import.meta.dirname),
  process: recipe,
  container,
  async ready(adminUrl) {
    const { versionAt } = await import("./client.ts");
    return versionAt(adminUrl);
  },
  async openNamespaces(server) {
    const { WholeServer } = await import("../../whole-server.ts");
    const { isEmpty } = await import("./client.ts");
    return new WholeServer(server, () => isEmpty(server.adminUrl));
  },
};
