/**
 * What both stores get beside their accounts. `account_versions` counts the writes to each id, also of
 * accounts that are gone, and says which of them the other store has. `migration` says who has the last
 * word: exactly one store is `open`, or none while the word passes on.
 */
import pg from "pg";
import type { StoreName } from "../contract.ts";

const statements = (name: StoreName) => [
  // Two deployments at the same moment would both find nothing there.
  "SELECT pg_advisory_xact_lock(1296648018)",
  `CREATE TABLE IF NOT EXISTS account_versions (
     id text PRIMARY KEY,
     version bigint NOT NULL,
     carried bigint NOT NULL
   )`,
  `CREATE INDEX IF NOT EXISTS account_versions_pending ON account_versions (id)
   WHERE carried < version`,
  // Both stores go through their ids in one order, whatever languages their databases speak.
  `CREATE INDEX IF NOT EXISTS accounts_in_order ON accounts (id COLLATE "C")`,
  `CREATE INDEX IF NOT EXISTS account_versions_in_order ON account_versions (id COLLATE "C")`,
  `CREATE TABLE IF NOT EXISTS migration (
     singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
     open boolean NOT NULL,
     phase text NOT NULL,
     epoch bigint NOT NULL DEFAULT 0,
     copied_to text NOT NULL DEFAULT '',
     copied_all boolean NOT NULL DEFAULT false
   )`,
  `INSERT INTO migration (open, phase) VALUES (${name === "legacy"}, 'legacy')
   ON CONFLICT DO NOTHING`,
];

export async function migrate(store: { name: StoreName; url: string }): Promise<void> {
  const client = new pg.Client({ connectionString: store.url });
  await client.connect();
  try {
    await client.query("BEGIN");
    for (const statement of statements(store.name)) await client.query(statement);
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}
