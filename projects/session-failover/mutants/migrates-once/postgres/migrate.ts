/** Runs the files of a folder of `NNN_name.sql`, in their order: all of them or none. */
import pg from "pg";
import { migrationsIn } from "../migrations.ts";

export async function migratePostgres(url: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    for (const { sql } of await migrationsIn(folder)) await client.query(sql);
    await client.query("COMMIT");
  } finally {
    // Closing the connection rolls back what was not committed.
    await client.end();
  }
}
