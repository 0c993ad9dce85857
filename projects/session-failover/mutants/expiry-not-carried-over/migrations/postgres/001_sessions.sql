CREATE TABLE users (
  id         text PRIMARY KEY,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  -- SHA-256 of the session id: the id itself is stored nowhere.
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  user_id    text NOT NULL REFERENCES users ON DELETE CASCADE,
  device     text NOT NULL,
  -- json, not jsonb: what was stored comes back character by character, "\u0000" included.
  data       json NOT NULL,
  -- Counts changes of data, and nothing else.
  version    integer NOT NULL DEFAULT 1,
  -- clock_timestamp(), not now(): it orders the devices of a user.
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- The sessions that count. Those that are over are removed by the purge, and end by themselves in Redis.
CREATE VIEW live_sessions AS SELECT * FROM sessions;

-- One row. Growing the value makes everything that Redis holds untrusted, on every node.
CREATE TABLE cache_epoch (
  one   boolean PRIMARY KEY DEFAULT true CHECK (one),
  value bigint NOT NULL
);
INSERT INTO cache_epoch (value) VALUES (1);
