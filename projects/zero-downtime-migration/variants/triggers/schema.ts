/** What both stores get. The functions have the same names in both: a node need not know which one it asks. */
import type { StoreName } from "../../contract.ts";

const dialects: Readonly<Record<StoreName, string>> = {
  legacy: `
CREATE OR REPLACE FUNCTION meaning(a accounts) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object(
    'id', a.id,
    'email', lower(btrim(a.email)),
    'balanceCents', btrim(a.cents)::bigint,
    'closedOn', to_char(to_date(nullif(btrim(a.closed_on), ''), 'DD.MM.YYYY'), 'YYYY-MM-DD'))
$$;
CREATE OR REPLACE FUNCTION put(j jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO accounts (id, email, cents, closed_on, updated_at)
  VALUES (j->>'id', j->>'email', j->>'balanceCents',
          to_char((j->>'closedOn')::date, 'DD.MM.YYYY'), clock_timestamp())
  ON CONFLICT (id) DO UPDATE SET email = excluded.email, cents = excluded.cents,
    closed_on = excluded.closed_on, updated_at = excluded.updated_at
$$;`,
  modern: `
CREATE OR REPLACE FUNCTION meaning(a accounts) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_build_object('id', a.id, 'email', a.email, 'balanceCents', a.balance_cents,
                            'closedOn', a.closed_on)
$$;
CREATE OR REPLACE FUNCTION put(j jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO accounts (id, email, balance_cents, closed_on)
  VALUES (j->>'id', j->>'email', (j->>'balanceCents')::bigint, (j->>'closedOn')::date)
  ON CONFLICT (id) DO UPDATE SET email = excluded.email, balance_cents = excluded.balance_cents,
    closed_on = excluded.closed_on
$$;`,
};

/** Writers share it, the operator takes it alone. */
export const LOCK = 77_001;

export const schemaOf = (name: StoreName) => `
SELECT pg_advisory_xact_lock(77000);
CREATE TABLE IF NOT EXISTS turn (leads boolean NOT NULL, phase text NOT NULL, number bigint NOT NULL);
INSERT INTO turn SELECT ${name === "legacy"}, 'legacy', 0 WHERE NOT EXISTS (SELECT FROM turn);
CREATE TABLE IF NOT EXISTS noted (id text PRIMARY KEY, made bigint NOT NULL, sent bigint NOT NULL);
CREATE INDEX IF NOT EXISTS noted_unsent ON noted (id) WHERE sent < made;
${dialects[name]}

CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT leads FROM turn) THEN
    INSERT INTO noted AS n VALUES (coalesce(NEW.id, OLD.id), 1, 0)
    ON CONFLICT (id) DO UPDATE SET made = n.made + 1;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER note_writes AFTER INSERT OR UPDATE OR DELETE ON accounts
  FOR EACH ROW EXECUTE FUNCTION note();

-- A client's write, meant for one turn. It answers 'moved' in any other: a message that comes so late that
-- this store leads again may have been sent to the other one meanwhile.
CREATE OR REPLACE FUNCTION client_writes(kind text, j jsonb, meant bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE account accounts;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${LOCK});
  IF NOT (SELECT leads AND number = meant FROM turn) THEN RETURN 'moved'; END IF;
  -- One writer of an id at a time, also of an id that isn't there.
  PERFORM pg_advisory_xact_lock(hashtextextended(j->>'id', 0));
  SELECT * INTO account FROM accounts WHERE id = j->>'id';
  IF kind = 'create' THEN
    IF FOUND THEN RETURN 'there'; END IF;
    PERFORM put(j);
  ELSIF NOT FOUND THEN RETURN 'absent';
  ELSIF kind = 'update' THEN PERFORM put(meaning(account) || j);
  ELSE DELETE FROM accounts WHERE id = j->>'id';
  END IF;
  RETURN 'done';
END $$;

CREATE OR REPLACE FUNCTION entries(ids text[]) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
    'id', i.id, 'made', coalesce(n.made, 0), 'sent', coalesce(n.sent, 0),
    'account', CASE WHEN a.id IS NOT NULL THEN meaning(a) END) ORDER BY i.place), '[]')
  FROM unnest(ids) WITH ORDINALITY i (id, place)
  LEFT JOIN accounts a ON a.id = i.id LEFT JOIN noted n ON n.id = i.id
$$;

-- Takes over from the other store what is newer than what is here.
CREATE OR REPLACE FUNCTION take_over(list jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE entry jsonb;
BEGIN
  FOR entry IN SELECT e FROM jsonb_array_elements(list) e ORDER BY e->>'id' LOOP
    INSERT INTO noted AS n VALUES (entry->>'id', (entry->>'made')::bigint, (entry->>'made')::bigint)
    ON CONFLICT (id) DO UPDATE SET made = excluded.made, sent = excluded.sent
    WHERE n.made < excluded.made;
    CONTINUE WHEN NOT FOUND;
    IF jsonb_typeof(entry->'account') = 'null' THEN DELETE FROM accounts WHERE id = entry->>'id';
    ELSE PERFORM put(entry->'account');
    END IF;
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION mark_sent(list jsonb) RETURNS void LANGUAGE sql AS $$
  UPDATE noted SET sent = greatest(sent, (e->>'made')::bigint)
  FROM jsonb_array_elements(list) e WHERE noted.id = e->>'id'
$$;`;
