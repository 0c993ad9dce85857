/** Brings a database to the schema that the `NNN_name.sql` files beside this one describe. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";

const FOLDER = join(import.meta.dirname, "migrations");
/** Any number will do, as long as all who migrate this database use the same. */
const LOCK = 4_771_202;

/** In one transaction; who migrates at the same time waits, and finds nothing to do. */
export async function migrate(postgres: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await client.query("CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY)");
    const { rows } = await client.query<{ name: string }>("SELECT name FROM schema_migrations");
    const applied = new Set(rows.map(({ name }) => name));
    const files = (await readdir(FOLDER)).filter((name) => name.endsWith(".sql")).sort();
    for (const name of files.filter((file) => !applied.has(file))) {
      await client.query(await readFile(join(FOLDER, name), "utf8"));
      await client.query("INSERT INTO schema_migrations (name) VALUES ($1)", [name]);
    }
    await client.query("COMMIT");
  } finally {
    // Closing the connection rolls back what was not committed.
    await client.end();
  }
}
