/** What servers keep in PostgreSQL. */
import pg from "pg";

/** Any number will do, as long as all who migrate this database use the same. */
const LOCK = 5_170_923;

const SCHEMA = `
-- Where each board's log ends, and what of it was compacted: whoever alters either has the board's advisory lock.
CREATE TABLE IF NOT EXISTS boards (
  document text PRIMARY KEY,
  position bigint NOT NULL DEFAULT 0,
  head bytea NOT NULL DEFAULT '',
  snapshot bytea,
  snapshot_position bigint NOT NULL DEFAULT 0,
  snapshot_head bytea NOT NULL DEFAULT '',
  snapshot_version jsonb NOT NULL DEFAULT '{}'
);

-- Positions are 1, 2, 3, … in the order of the commits. Where one is missing, it was compacted.
CREATE TABLE IF NOT EXISTS operations (
  document text NOT NULL,
  position bigint NOT NULL,
  actor text NOT NULL,
  seq integer NOT NULL,
  bytes bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (document, position),
  UNIQUE (document, actor, seq)
);
`;

/** In one transaction; who migrates at the same time waits, and finds nothing to do. */
export async function migrate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LOCK]);
    await client.query(SCHEMA);
    await client.query("COMMIT");
  } finally {
    // Closing the connection rolls back what was not committed.
    await client.end();
  }
}
