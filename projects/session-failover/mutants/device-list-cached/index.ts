/** The list of a user's devices stays in the memory of the process for a few seconds. */
import { join } from "node:path";
import type { Device, NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const KEPT_MS = 5_000;

class ListKeepingNode extends PolyglotNode {
  readonly #lists = new Map<string, { until: number; devices: readonly Device[] }>();

  override async list(userId: string): Promise<readonly Device[]> {
    const kept = this.#lists.get(userId);
    if (kept && kept.until > performance.now()) return kept.devices;
    const devices = await super.list(userId);
    this.#lists.set(userId, { until: performance.now() + KEPT_MS, devices });
    return devices;
  }

  override async create(input: Parameters<SessionNode["create"]>[0]) {
    this.#lists.delete(input.userId);
    return await super.create(input);
  }

  override async touch(id: string, ttlMs: number) {
    this.#lists.clear();
    return await super.touch(id, ttlMs);
  }

  override async destroy(id: string) {
    this.#lists.clear();
    await super.destroy(id);
  }

  override async destroyAll(userId: string) {
    this.#lists.delete(userId);
    return await super.destroyAll(userId);
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new ListKeepingNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
