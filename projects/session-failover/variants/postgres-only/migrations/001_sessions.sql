CREATE TABLE users (id text PRIMARY KEY);

CREATE TABLE sessions (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token_hash bytea NOT NULL UNIQUE,
  user_id    text NOT NULL REFERENCES users,
  device     text NOT NULL,
  data       json NOT NULL,
  version    integer NOT NULL DEFAULT 1,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, seq);
