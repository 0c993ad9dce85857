import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/** Its collections know no databases. */
export const definition: EngineDefinition = {
  name: "qdrant",
  title: "Qdrant",
  licence: "Apache-2.0",
  capabilities: ["durable", ...ofAnyServer],
  alone: true,
  recycling: {
    open: async ({ adminUrl }) => (await import("./recycling.ts")).recycler(adminUrl),
  },
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_QDRANT_URL",
  urlExample: "http://host:6333",
  process: recipe,
  container,
  async ready(adminUrl) {
    const { ask } = await import("../../ask.ts");
    const { version } = await ask<{ version: string }>(adminUrl, "GET", "/");
    return version;
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
