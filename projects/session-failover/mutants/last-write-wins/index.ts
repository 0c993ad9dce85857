/** A version conflict is not the user's problem: read the current version and try again. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, Session, SessionNode, Submission } from "../contract.ts";
import { SessionError } from "./errors.ts";
import { PolyglotNode } from "./polyglot-node.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";
import { SqliteNode } from "./sqlite/sqlite-node.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const ATTEMPTS = 10;

class RetryingNode extends PolyglotNode {
  override async update(id: string, input: Parameters<SessionNode["update"]>[1]): Promise<Session> {
    let { expectedVersion } = input;
    for (let attempt = 1; ; attempt++) {
      try {
        return await super.update(id, { data: input.data, expectedVersion });
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
        const current = await this.get(id);
        if (!current) throw error;
        expectedVersion = current.version;
      }
    }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof SessionError && error.code === "VERSION_CONFLICT";
}

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  if (config.stores.kind === "local") return new SqliteNode(config, config.stores.sqlite);
  const node = new RetryingNode(config, config.stores);
  await node.open();
  return node;
}

export default { migrate, createNode } satisfies Submission;
