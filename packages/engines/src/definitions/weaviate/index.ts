import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/** Its collections know no databases, and its tenants are parts of one collection. */
export const definition: EngineDefinition = {
  name: "weaviate",
  title: "Weaviate",
  licence: "BSD-3-Clause",
  capabilities: ["durable", ...ofAnyServer],
  alone: true,
  recycling: {
    // To make a collection it looks four times, 50 ms apart, whether it is there already (its
    // `DB.GetIndex`): time in which others can be used. A start is 2.4 s, of which it works 0.3.
    ahead: 4,
    open: async (server) => (await import("./recycling.ts")).recycler(server),
  },
  also: { grpc: 50051 },
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_WEAVIATE_URL",
  urlExample: "http://host:8080/?grpc=50051",
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
