import { ofAnyServer } from "../../../src/capabilities.ts";
import type { EngineDefinition } from "../../../src/definition.ts";
import { recipe } from "./process.ts";

/** Keeps strings on shelves: as small as an engine can be that the conformance suite has nothing against. */
export const definition: EngineDefinition = {
  name: "shelf",
  title: "Shelf",
  licence: "MIT",
  capabilities: ["durable", ...ofAnyServer],
  process: recipe,
  async ready(adminUrl) {
    const { ask } = await import("./namespaces.ts");
    return ask(adminUrl, { verb: "version" }, AbortSignal.timeout(5_000));
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../../src/databases.ts");
    const { Shelves } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new Shelves(server));
  },
};
