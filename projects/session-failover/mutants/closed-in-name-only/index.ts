/** The end of the process closes every connection: there is nothing left for close() to do. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

class OpenEndedNode extends PolyglotNode {
  override async close(): Promise<void> {}
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new OpenEndedNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
