import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "chroma",
  title: "Chroma",
  licence: "Apache-2.0",
  capabilities: ["durable", ...ofAnyServer],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_CHROMA_URL",
  urlExample: "http://host:port",
  process: recipe,
  container,
  /** What it tells is the version of its API. */
  async ready(adminUrl) {
    const { ask } = await import("../../ask.ts");
    return `API ${await ask<string>(adminUrl, "GET", "/api/v2/version")}`;
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { ChromaDatabases } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new ChromaDatabases(server));
  },
};
