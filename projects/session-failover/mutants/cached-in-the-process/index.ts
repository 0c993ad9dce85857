/** Hot sessions stay in the memory of the process for a few seconds: most reads need no store at all. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const HOT_MS = 10_000;

class HotNode extends PolyglotNode {
  readonly #hot = new Map<string, Session>();

  override async create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    return this.#keep(await super.create(input));
  }

  override async get(id: string): Promise<Session | null> {
    const hot = this.#hot.get(id);
    if (hot && hot.expiresAt > Date.now()) return hot;
    const session = await super.get(id);
    return session && this.#keep(session);
  }

  override async update(id: string, input: Parameters<SessionNode["update"]>[1]): Promise<Session> {
    this.#hot.delete(id);
    return this.#keep(await super.update(id, input));
  }

  override async touch(id: string, ttlMs: number): Promise<Session> {
    this.#hot.delete(id);
    return this.#keep(await super.touch(id, ttlMs));
  }

  override async rotate(id: string): Promise<Session> {
    this.#hot.delete(id);
    return this.#keep(await super.rotate(id));
  }

  override async destroy(id: string): Promise<void> {
    this.#hot.delete(id);
    await super.destroy(id);
  }

  override async destroyAll(userId: string): Promise<number> {
    for (const { id, userId: owner } of this.#hot.values()) {
      if (owner === userId) this.#hot.delete(id);
    }
    return await super.destroyAll(userId);
  }

  #keep(session: Session): Session {
    this.#hot.set(session.id, session);
    setTimeout(() => {
      if (this.#hot.get(session.id) === session) this.#hot.delete(session.id);
    }, HOT_MS).unref();
    return session;
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new HotNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
