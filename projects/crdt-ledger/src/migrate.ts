/** What servers keep in PostgreSQL. */
import pg from "pg";

/** Any number will do, as long as all who migrate this database use the same. */
const LOCK = 7_340_117;

const SCHEMA = `
-- One row for each document: where its log ends, and what of it was compacted. Whoever appends moves
-- position and head from what it has seen to what it adds: of two, one finds them moved already.
CREATE TABLE IF NOT EXISTS documents (
  document text PRIMARY KEY,
  position bigint NOT NULL DEFAULT 0,
  head bytea NOT NULL DEFAULT '',
  snapshot bytea,
  snapshot_position bigint NOT NULL DEFAULT 0,
  snapshot_head bytea NOT NULL DEFAULT '',
  snapshot_version jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS operations (
  -- Of the table above. Whatever adds rows here takes it from there, and to have that looked up once more
  -- for each row would be a third of what storing takes.
  document text NOT NULL,
  -- 1, 2, 3, … without a gap, in the order of the commits.
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
