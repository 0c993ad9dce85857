/** Opening a SQLite file, and bringing it to the schema. */
import { DatabaseSync } from "node:sqlite";
import { migrationsIn } from "../migrations.ts";

/** How long a migration waits for others that use the file, in milliseconds. */
const MIGRATION_BUSY_MS = 10_000;

/** `busyMs`: how long a statement waits for the lock of another process before it fails */
export function openSqlite(file: string, busyMs: number): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyMs, enableForeignKeyConstraints: true });
  // Readers and the writer don't block each other. The mode is kept in the file itself.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
  return database;
}

/** Applies the files of a folder that the file has not seen; `user_version` counts them. */
export async function migrateSqlite(file: string, folder: string): Promise<void> {
  const migrations = await migrationsIn(folder);
  const database = openSqlite(file, MIGRATION_BUSY_MS);
  try {
    // The lock comes first: of two processes that migrate, the later one sees what the other did.
    database.exec("BEGIN IMMEDIATE");
    const applied = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    for (const { sql } of migrations.slice(applied)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}
