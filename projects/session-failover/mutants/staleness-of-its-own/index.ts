/** How long a node believes Redis is a constant: the most that the contract ever grants. */
import { join } from "node:path";
import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../contract.ts";
import { openNode } from "./open.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { migrateSqlite } from "./sqlite/open.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");
const STALENESS_MS = 1_000;

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  return await openNode({ ...config, stalenessBoundMs: STALENESS_MS });
}

export default { migrate, createNode } satisfies Submission;
