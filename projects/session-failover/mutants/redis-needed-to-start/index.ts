/** A node that starts asks its stores whether they are there, and doesn't start when one is not. */
import { join } from "node:path";
import { Redis } from "ioredis";
import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";
import { openNode } from "./open.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function ping(url: string): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, connectTimeout: 1_000, commandTimeout: 1_000 });
  redis.on("error", () => {});
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "polyglot") await ping(config.stores.redis);
  return await openNode(config);
}

export default { migrate, createNode } satisfies Submission;
