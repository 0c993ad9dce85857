import { ofAnyServer } from "../../capabilities.ts";
import type { EngineDefinition } from "../../definition.ts";
import { pinnedImage } from "../../image.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";
import { adminName } from "./settings.ts";
import { troubles } from "./troubles.ts";
import { wire } from "./wire.ts";

/** All three in one server, so that an exercise may have them together. */
export const extended = {
  hypopg: "pgextended",
  cron: "pgextended",
  wal2json: "pgextended",
} as const;

export const definition: EngineDefinition = {
  name: "postgres",
  title: "PostgreSQL",
  licence: "PostgreSQL",
  capabilities: [
    "transactions",
    "durable",
    ...ofAnyServer,
    "readonly",
    "diskFull",
    "loading",
    "gate",
  ],
  variants: {
    vector: "pgvector",
    hypertables: "timescaledb",
    continuousAggregates: "timescaledb",
    ...extended,
  },
  image: pinnedImage(import.meta.dirname),
  urlVariable: "KATA_POSTGRES_URL",
  process: recipe,
  container,
  wire,
  arrivals: new RegExp(
    `^\\d{4}-\\S+ \\S+ \\S+ \\[\\d+\\] [\\d.]+\\((?<port>\\d+)\\) LOG:  connection authorized: user=(?!${adminName}[ _])\\S+ database=(?<namespace>\\S+)`,
    "gm",
  ),
  troubles,
  async ready(adminUrl) {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
      return rows[0]?.server_version.split(" ")[0] ?? "";
    } finally {
      client.end().catch(() => {});
    }
  },
  async openNamespaces(server, context) {
    const { PostgresNamespaces } = await import("./namespaces.ts");
    return new PostgresNamespaces(server, context);
  },
};
