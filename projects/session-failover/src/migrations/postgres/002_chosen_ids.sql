-- Session middleware chooses its ids by itself and saves with an upsert: the first save of an id must
-- create, a late save of one that has ended must not. So an ended id stays, as a row that is over,
-- for as long as the purge leaves it (an hour): one primary key decides between a save and an end
-- that race, which a table of its own for ended ids could not.
ALTER TABLE sessions ADD COLUMN store text;
COMMENT ON COLUMN sessions.store IS 'Who chose the id; null: this service did, and no save ever creates.';
CREATE INDEX sessions_by_store ON sessions (store) WHERE store IS NOT NULL;

-- Sessions without a login, and what is left of those that ended.
INSERT INTO users (id) VALUES ('(nobody)') ON CONFLICT DO NOTHING;

-- Whatever removes such a session (a logout of all devices, a rotation, somebody with psql) leaves its
-- id behind as ended. A minute in the past: readers whose now() is a moment old must not see it live.
CREATE FUNCTION remember_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sessions (token_hash, user_id, device, data, expires_at, store)
  VALUES (OLD.token_hash, '(nobody)', '', '{}', now() - interval '1 minute', OLD.store);
  RETURN NULL;
END $$;
CREATE TRIGGER remember_deleted AFTER DELETE ON sessions FOR EACH ROW
  WHEN (OLD.store IS NOT NULL AND OLD.expires_at > now() - interval '1 hour')
  EXECUTE FUNCTION remember_ended();
CREATE TRIGGER remember_rotated AFTER UPDATE OF token_hash ON sessions FOR EACH ROW
  WHEN (OLD.store IS NOT NULL AND OLD.token_hash <> NEW.token_hash)
  EXECUTE FUNCTION remember_ended();
