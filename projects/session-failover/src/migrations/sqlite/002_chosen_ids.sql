-- See the PostgreSQL migration of the same name. Nothing purges a development file.
ALTER TABLE sessions ADD COLUMN store TEXT;
CREATE INDEX sessions_by_store ON sessions (store) WHERE store IS NOT NULL;
INSERT INTO users (id, created_at) VALUES ('(nobody)', 0) ON CONFLICT DO NOTHING;
CREATE TRIGGER remember_deleted AFTER DELETE ON sessions WHEN OLD.store IS NOT NULL
BEGIN
  INSERT INTO sessions (token_hash, user_id, device, data, created_at, expires_at, store)
  VALUES (OLD.token_hash, '(nobody)', '', '{}', OLD.created_at, 0, OLD.store);
END;
CREATE TRIGGER remember_rotated AFTER UPDATE OF token_hash ON sessions WHEN OLD.store IS NOT NULL
BEGIN
  INSERT INTO sessions (token_hash, user_id, device, data, created_at, expires_at, store)
  VALUES (OLD.token_hash, '(nobody)', '', '{}', OLD.created_at, 0, OLD.store);
END;
