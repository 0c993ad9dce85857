import type { EngineDefinition } from "../../definition.ts";

export const definition: EngineDefinition = {
  name: "sqlite",
  title: "SQLite",
  licence: "blessing",
  capabilities: ["transactions", "durable"],
  library: {
    source: "node:sqlite, the SQLite inside of Node.js",
    version: process.versions.sqlite ?? "",
  },
  ready: async () => process.versions.sqlite ?? "",
  async openNamespaces(_server, context) {
    const { SqliteNamespaces } = await import("./namespaces.ts");
    return new SqliteNamespaces(context);
  },
};
