/** Login opens a second session with the same content; the first one stays for requests under way. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { notFound } from "./errors.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

class GentleNode extends PolyglotNode {
  override async rotate(id: string): Promise<Session> {
    const session = await this.get(id);
    if (!session) throw notFound();
    const { userId, data, expiresAt } = session;
    return await super.create({ userId, device: "", data, ttlMs: expiresAt - Date.now() });
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new GentleNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
