import type { EngineDefinition } from "../../definition.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "mongodb",
  title: "MongoDB",
  licence: "SSPL-1.0 (mongod), BSD-3-Clause (the stand-in)",
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
  urlVariable: "KATA_MONGODB_URL",
  process: recipe,
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
