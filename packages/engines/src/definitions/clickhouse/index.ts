import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

export const definition: EngineDefinition = {
  name: "clickhouse",
  title: "ClickHouse",
  licence: "Apache-2.0",
  capabilities: ["durable", ...ofAnyServer],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_CLICKHOUSE_URL",
  urlExample: "http://user:password@host:8123",
  process: recipe,
  container,
  async ready(adminUrl) {
    const { ask } = await import("./namespaces.ts");
    return (await ask(adminUrl, "SELECT version()", AbortSignal.timeout(5_000))).trim();
  },
  async openNamespaces(server, context) {
    const { DatabaseNamespaces } = await import("../../databases.ts");
    const { ClickHouseDatabases } = await import("./namespaces.ts");
    return new DatabaseNamespaces(server, context, new ClickHouseDatabases(server, context));
  },
};
