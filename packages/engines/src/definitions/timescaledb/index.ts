import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { definition as postgres } from "../postgres/index.ts";
import { troubles } from "../postgres/troubles.ts";
import { wire } from "../postgres/wire.ts";
import { container } from "./container.ts";

/**
 * PostgreSQL with all of TimescaleDB. Compression and continuous aggregates are under a licence that
 * keeps them out of distributions, whose packages have the Apache part alone: hence no process.
 */
export const definition: EngineDefinition = {
  name: "timescaledb",
  title: "TimescaleDB",
  licence: "Apache-2.0 AND LicenseRef-Timescale",
  capabilities: ["transactions", "durable", ...ofAnyServer, "readonly", "loading", "gate"],
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_TIMESCALEDB_URL",
  urlExample: "postgres://user:password@host:5432/postgres",
  container,
  ready: postgres.ready,
  async openNamespaces(server, context) {
    const { PostgresNamespaces } = await import("../postgres/namespaces.ts");
    return new PostgresNamespaces(server, context, ["timescaledb"]);
  },
  wire,
  troubles,
};
