import type { EngineDefinition } from "../../definition.ts";
import { ownImage } from "../../image.ts";
import { definition as postgres } from "../postgres/index.ts";
import { container } from "./container.ts";
import { recipe } from "./process.ts";

/** A server of the user's own can't be told in which database pg_cron works. */
const { urlVariable: _, ...server } = postgres;

/**
 * PostgreSQL with extensions that a distribution packages. What HypoPG makes is one session's, and
 * vectors are in tables. The others' belong to a whole server: pg_cron's jobs are in one database of
 * it, and whoever may replicate may copy all of it, holds back its log, and waits for the transactions
 * of everybody before a slot is there (PostgreSQL's documentation, "Logical Decoding Concepts").
 */
export const definition: EngineDefinition = {
  ...server,
  name: "pgextended",
  title: "PostgreSQL with HypoPG, pg_cron and wal2json",
  capabilities: [...postgres.capabilities, "vector", "hypopg", "cron", "wal2json"],
  variants: {},
  wholeServer: ["cron", "wal2json"],
  ...ownImage(import.meta.dirname, "pgextended"),
  process: recipe,
  container,
  async openNamespaces(server, context) {
    const { OneDatabase, openShared } = await import("./namespaces.ts");
    return server.isolated ? new OneDatabase(server, context) : openShared(server, context);
  },
};
