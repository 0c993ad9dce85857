/** Ids that nobody was ever given don't reach PostgreSQL: Redis knows which ones there are. */
import { join } from "node:path";
import { Redis } from "ioredis";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { hashOf, isId } from "./ids.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const COMMAND_MS = 50;
const RETRY_MS = 25;
/** How long a Redis that does not answer is left alone, in milliseconds. */
const REST_MS = 500;

/** The ids that there are. When Redis can't tell, every id may be one. */
class KnownIds {
  readonly #redis: Redis;
  #restUntil = 0;

  constructor(url: string) {
    this.#redis = new Redis(url, {
      commandTimeout: COMMAND_MS,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => RETRY_MS,
    });
    this.#redis.on("error", () => {});
  }

  async add({ id, expiresAt }: Session): Promise<void> {
    await this.#ask((key) => this.#redis.set(key, 1, "PXAT", expiresAt), id);
  }

  async mayContain(id: string): Promise<boolean> {
    return (await this.#ask((key) => this.#redis.exists(key), id)) !== 0;
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #ask<T>(command: (key: string) => Promise<T>, id: string): Promise<T | undefined> {
    if (this.#redis.status !== "ready" || performance.now() < this.#restUntil) return undefined;
    try {
      return await command(`known:${hashOf(id).toString("base64url")}`);
    } catch {
      this.#restUntil = performance.now() + REST_MS;
      return undefined;
    }
  }
}

class GuardedNode extends PolyglotNode {
  readonly #known: KnownIds;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores);
    this.#known = new KnownIds(stores.redis);
  }

  override async create(input: Parameters<SessionNode["create"]>[0]): Promise<Session> {
    return await this.#register(await super.create(input));
  }

  override async get(id: string): Promise<Session | null> {
    if (isId(id) && !(await this.#known.mayContain(id))) return null;
    return await super.get(id);
  }

  override async touch(id: string, ttlMs: number): Promise<Session> {
    return await this.#register(await super.touch(id, ttlMs));
  }

  override async rotate(id: string): Promise<Session> {
    return await this.#register(await super.rotate(id));
  }

  override async close(): Promise<void> {
    this.#known.close();
    await super.close();
  }

  async #register(session: Session): Promise<Session> {
    await this.#known.add(session);
    return session;
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new GuardedNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
