/** Opening a SQLite file, and bringing it to the schema. */
import { DatabaseSync } from "node:sqlite";
import { migrationsIn } from "../migrations.ts";

export function openSqlite(file: string, _waitMs?: number): DatabaseSync {
  return new DatabaseSync(file, { enableForeignKeyConstraints: true });
}

/** Applies the files of a folder that the file has not seen; `user_version` counts them. */
export async function migrateSqlite(file: string, folder: string): Promise<void> {
  const migrations = await migrationsIn(folder);
  const database = openSqlite(file);
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
