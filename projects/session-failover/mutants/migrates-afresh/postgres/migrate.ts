/** Makes the schema that a folder of `NNN_name.sql` files describes, whatever was there before. */
import pg from "pg";
import { migrationsIn } from "../migrations.ts";

export async function migratePostgres(url: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("DROP TABLE IF EXISTS sessions, users, cache_epoch CASCADE");
    await client.query("DROP FUNCTION IF EXISTS remember_ended");
    for (const { sql } of await migrationsIn(folder)) await client.query(sql);
    await client.query("COMMIT");
  } finally {
    // Closing the connection rolls back what was not committed.
    await client.end();
  }
}
