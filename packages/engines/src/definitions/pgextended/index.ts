import type { EngineDefinition } from "../../definition.ts";
import { ownImage } from "../../image.ts";
import { definition as postgres } from "../postgres/index.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/** A server of the user's own can't be told in which database pg_cron works. */
const { urlVariable: _, ...server } = postgres;

/**
 * PostgreSQL with extensions that a distribution packages. What they keep belongs to a whole server
 * (pg_cron's jobs are in one database of it, replication slots hold back its log), so that each lease
 * gets a server.
 */
export const definition: EngineDefinition = {
  ...server,
  name: "pgextended",
  title: "PostgreSQL with HypoPG, pg_cron and wal2json",
  capabilities: [...postgres.capabilities, "vector", "hypopg", "cron", "wal2json"],
  variants: {},
  alone: true,
  ...ownImage(import.meta.dirname, "pgextended"),
  process: recipe,
  container,
  async openNamespaces(server, context) {
    const { OneDatabase } = await import("./namespaces.ts");
    return new OneDatabase(server, context);
  },
};
