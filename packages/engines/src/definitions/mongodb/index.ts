import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "mongodb",
  title: "MongoDB",
  licence: "SSPL-1.0 (mongod), BSD-3-Clause (the stand-in)",
  capabilities: [
    // With a replica set, as in our container; a server of the user's own is taken for one.
    "transactions",
    "durable",
    ...ofAnyServer,
  ],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_MONGODB_URL",
  urlExample: "mongodb://user:password@host:27017/?directConnection=true",
  process: recipe,
  container,
  async ready(adminUrl) {
    const { versionAt } = await import("./client.ts");
    return versionAt(adminUrl);
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { MongoDatabases } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new MongoDatabases(server));
  },
};
