import type { NodeConfig, PersistentStore, SessionNode, Submission } from "../../contract.ts";
import { LocalNode, migrateSqlite } from "./local-node.ts";
import { migratePostgres, PolyglotNode } from "./polyglot-node.ts";

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") migrateSqlite(store.sqlite);
  else await migratePostgres(store.postgres);
}

async function createNode(config: NodeConfig): Promise<SessionNode> {
  const { stores } = config;
  if (stores.kind === "local") return new LocalNode(config, stores.sqlite);
  return PolyglotNode.open(config, stores.postgres, stores.redis);
}

export default { migrate, createNode } satisfies Submission;
