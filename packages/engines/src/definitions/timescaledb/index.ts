import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { definition as postgres } from "../postgres/index.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/**
 * PostgreSQL with TimescaleDB. Compression and continuous aggregates are under a licence that keeps them
 * out of distributions, whose packages have the Apache part alone.
 */
export const definition: EngineDefinition = {
  ...postgres,
  name: "timescaledb",
  title: "TimescaleDB",
  licence: "Apache-2.0 AND LicenseRef-Timescale",
  capabilities: [
    ...postgres.capabilities.filter((each) => each !== "diskFull"),
    "hypertables",
    "continuousAggregates",
  ],
  variants: {},
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_TIMESCALEDB_URL",
  urlExample: "postgres://user:password@host:5432/postgres",
  process: recipe,
  container,
  async openNamespaces(server, context) {
    const { having, PostgresNamespaces } = await import("../postgres/namespaces.ts");
    return new PostgresNamespaces(server, context, having("timescaledb"));
  },
};
