/** The reference solution: PostgreSQL as the system of record with Redis in front, or one SQLite file. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") {
    const { migrateSqlite } = await import("./sqlite/open.ts");
    return await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  }
  const { migratePostgres } = await import("./postgres/migrate.ts");
  await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

/** Only what the chosen stores need is loaded: local development waits for no Prisma. */
async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") {
    const { SqliteNode } = await import("./sqlite/sqlite-node.ts");
    return new SqliteNode(config, config.stores.sqlite);
  }
  const { PolyglotNode } = await import("./polyglot-node.ts");
  const node = new PolyglotNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
