-- Sessions that Redis has yet to hear of. A row is deleted in the transaction that told Redis.
CREATE TABLE outbox (token_hash bytea NOT NULL);

-- By trigger, so that no way of writing can forget it, somebody at a psql prompt included.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox
    SELECT DISTINCT hash FROM unnest(ARRAY[OLD.token_hash, NEW.token_hash]) AS hash
    WHERE hash IS NOT NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OR DELETE ON sessions
  FOR EACH ROW EXECUTE FUNCTION note_change();

-- Numbers that order rounds and observations, of all nodes, among each other.
CREATE SEQUENCE beats;

-- One row: its lock makes relays take turns.
CREATE TABLE relay (
  one      boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- Sets this database's keys apart, should another one ever use the same Redis.
  name     uuid NOT NULL DEFAULT gen_random_uuid(),
  -- The beat of the last round that Redis has confirmed.
  position bigint NOT NULL DEFAULT 0
);
INSERT INTO relay DEFAULT VALUES;
