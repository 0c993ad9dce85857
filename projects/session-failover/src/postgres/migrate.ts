/** Brings a PostgreSQL database to the schema that a folder of `NNN_name.sql` files describes. */
import pg from "pg";
import { migrationsIn } from "../migrations.ts";

/** Any number will do, as long as all who migrate this database use the same. */
const LOCK = 7_302_615;

/**
 * All in one transaction: a migration that fails leaves nothing behind. Processes that migrate at
 * the same time wait for each other on an advisory lock, and the later ones find nothing to do.
 */
export async function migratePostgres(url: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const { rows } = await client.query<{ name: string }>("SELECT name FROM schema_migrations");
    const applied = new Set(rows.map((row) => row.name));
    for (const { name, sql } of await migrationsIn(folder)) {
      if (applied.has(name)) continue;
      await client.query(sql);
      await client.query("INSERT INTO schema_migrations (name) VALUES ($1)", [name]);
    }
    await client.query("COMMIT");
  } finally {
    // Closing the connection rolls back what was not committed.
    await client.end();
  }
}
