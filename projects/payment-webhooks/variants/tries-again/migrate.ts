import pg from "pg";
import { migrations } from "./schema.ts";

/** Any number, the same in all deployments: one of them migrates at a time. */
const LOCK = 7_205_759_403;

export async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await client.query(
      "CREATE TABLE IF NOT EXISTS schema_versions (version int PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    );
    const { rows } = await client.query<{ version: number }>(
      "SELECT coalesce(max(version), 0) AS version FROM schema_versions",
    );
    // What was run is never run again, so a deployment takes no lock that a node could wait for.
    for (let v = rows[0]?.version ?? 0; v < migrations.length; v++) {
      await client.query(migrations[v] ?? "");
      await client.query("INSERT INTO schema_versions (version) VALUES ($1)", [v + 1]);
    }
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
