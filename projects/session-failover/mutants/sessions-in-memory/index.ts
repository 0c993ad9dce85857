/** Open sessions are held by the process that opened them; the stores know the rest. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { newId } from "./ids.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

class MemoryNode extends PolyglotNode {
  readonly #open = new Map<string, Session>();

  override async create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    const { userId, data, ttlMs } = input;
    const session = { id: newId(), userId, data, version: 1, expiresAt: Date.now() + ttlMs };
    this.#open.set(session.id, session);
    return session;
  }

  override async get(id: string): Promise<Session | null> {
    const session = this.#open.get(id);
    return session && session.expiresAt > Date.now() ? session : null;
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new MemoryNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
