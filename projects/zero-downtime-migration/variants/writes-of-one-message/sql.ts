import type { StoreName } from "../../contract.ts";

/** Shared: whoever writes. Exclusive: whoever changes the phase. Per database. */
const LOCK = "727001";

const put = {
  legacy: `
      INSERT INTO accounts (id, email, cents, closed_on, updated_at)
      VALUES (r.id, r.email, r.cents, r.closed_on, now())
      ON CONFLICT (id) DO UPDATE SET email = excluded.email, cents = excluded.cents,
        closed_on = excluded.closed_on, updated_at = excluded.updated_at
      WHERE (accounts.email, accounts.cents, accounts.closed_on)
        IS DISTINCT FROM (excluded.email, excluded.cents, excluded.closed_on);`,
  modern: `
      INSERT INTO accounts (id, email, balance_cents, closed_on)
      VALUES (r.id, r.email, r.cents::bigint, r.closed_on::date)
      ON CONFLICT (id) DO UPDATE SET email = excluded.email, balance_cents = excluded.balance_cents,
        closed_on = excluded.closed_on
      WHERE (accounts.email, accounts.balance_cents, accounts.closed_on)
        IS DISTINCT FROM (excluded.email, excluded.balance_cents, excluded.closed_on);`,
};

const create = {
  legacy: `INSERT INTO accounts (id, email, cents, closed_on, updated_at)
      VALUES (p_id, c->>'email', c->>'cents', c->>'closed_on', now()) ON CONFLICT (id) DO NOTHING;`,
  modern: `INSERT INTO accounts (id, email, balance_cents, closed_on)
      VALUES (p_id, c->>'email', (c->>'cents')::bigint, (c->>'closed_on')::date) ON CONFLICT (id) DO NOTHING;`,
};

const change = {
  legacy: `UPDATE accounts SET
      email = CASE WHEN c ? 'email' THEN c->>'email' ELSE email END,
      cents = CASE WHEN c ? 'cents' THEN c->>'cents' ELSE cents END,
      closed_on = CASE WHEN c ? 'closed_on' THEN c->>'closed_on' ELSE closed_on END,
      updated_at = now() WHERE id = p_id;`,
  modern: `UPDATE accounts SET
      email = CASE WHEN c ? 'email' THEN c->>'email' ELSE email END,
      balance_cents = CASE WHEN c ? 'cents' THEN (c->>'cents')::bigint ELSE balance_cents END,
      closed_on = CASE WHEN c ? 'closed_on' THEN (c->>'closed_on')::date ELSE closed_on END
      WHERE id = p_id;`,
};

export const schema = (me: StoreName) => `
CREATE TABLE IF NOT EXISTS mig_state (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  me text NOT NULL,
  owner text NOT NULL,            -- who has the last word, as far as this store knows
  phase text NOT NULL,
  epoch bigint NOT NULL,          -- goes up with each change; the higher one of both stores is right
  attempt int NOT NULL            -- goes up each time the phase leaves legacy
);
INSERT INTO mig_state (me, owner, phase, epoch, attempt) VALUES ('${me}', 'legacy', 'legacy', 0, 0)
  ON CONFLICT DO NOTHING;

-- One row for each id that ever was, also for those that are gone: that is what fences late copies.
CREATE TABLE IF NOT EXISTS mig_rows (
  id text PRIMARY KEY,
  version bigint NOT NULL,        -- counts the writes of this id, in the order in which they commit
  noted boolean NOT NULL DEFAULT false,  -- has yet to arrive in the other store
  noted_at timestamptz,
  attempt int NOT NULL DEFAULT 0, -- the attempt in which it was carried or copied last
  claimed_at timestamptz,         -- by a copy; only spares work
  last_op text
);
CREATE INDEX IF NOT EXISTS mig_rows_noted ON mig_rows (noted_at) WHERE noted;
CREATE INDEX IF NOT EXISTS mig_rows_attempt ON mig_rows (attempt, claimed_at);
CREATE TABLE IF NOT EXISTS mig_ops (op text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
CREATE INDEX IF NOT EXISTS mig_ops_at ON mig_ops (at);
CREATE INDEX IF NOT EXISTS mig_accounts_c ON accounts (id COLLATE "C");

CREATE OR REPLACE FUNCTION mig_note_id(p_id text, s mig_state) RETURNS void
LANGUAGE sql AS $f$
  INSERT INTO mig_rows AS m (id, version, noted, noted_at, attempt)
  VALUES (p_id, 1, s.phase <> 'legacy', clock_timestamp(), 0)
  ON CONFLICT (id) DO UPDATE SET
    version = m.version + 1,
    noted = m.noted OR s.phase <> 'legacy',
    noted_at = CASE WHEN m.noted THEN m.noted_at ELSE excluded.noted_at END,
    attempt = CASE WHEN s.phase = 'legacy' THEN 0 ELSE m.attempt END,
    claimed_at = NULL
$f$;

CREATE OR REPLACE FUNCTION mig_note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $f$
DECLARE s mig_state;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${LOCK});
  SELECT * INTO s FROM mig_state;
  IF s.owner <> s.me THEN RETURN NULL; END IF;
  IF TG_OP <> 'INSERT' THEN PERFORM mig_note_id(OLD.id, s); END IF;
  IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.id <> OLD.id) THEN PERFORM mig_note_id(NEW.id, s); END IF;
  RETURN NULL;
END $f$;

DO $d$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'accounts'::regclass AND tgname = 'mig_note') THEN
    CREATE TRIGGER mig_note AFTER INSERT OR UPDATE OR DELETE ON accounts
      FOR EACH ROW EXECUTE FUNCTION mig_note();
    ${me === "legacy" ? "INSERT INTO mig_rows (id, version) SELECT id, 1 FROM accounts ON CONFLICT DO NOTHING;" : ""}
  END IF;
END $d$;

CREATE OR REPLACE FUNCTION mig_write(p_op text, kind text, p_id text, c jsonb, p_epoch bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE s mig_state; n int;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${LOCK});
  SELECT * INTO s FROM mig_state;
  IF s.owner <> s.me THEN RETURN jsonb_build_object('r', 'NOT_OWNER', 'state', to_jsonb(s)); END IF;
  -- It may be late: the other store may have had the word meanwhile, and this very call.
  IF s.epoch <> p_epoch THEN RETURN jsonb_build_object('r', 'LATE', 'state', to_jsonb(s)); END IF;
  -- The same call again, over another connection or in the other store.
  INSERT INTO mig_ops (op) VALUES (p_op) ON CONFLICT DO NOTHING;
  IF NOT FOUND OR EXISTS (SELECT FROM mig_rows WHERE id = p_id AND last_op = p_op) THEN
    RETURN jsonb_build_object('r', 'ok', 'state', to_jsonb(s));
  END IF;
  IF kind = 'create' THEN ${create[me]}
  ELSIF kind = 'update' THEN ${change[me]}
  ELSE DELETE FROM accounts WHERE id = p_id;
  END IF;
  GET DIAGNOSTICS n = ROW_COUNT;
  IF n = 0 THEN
    DELETE FROM mig_ops WHERE op = p_op;
    RETURN jsonb_build_object('r', CASE kind WHEN 'create' THEN 'ALREADY_EXISTS' ELSE 'NOT_FOUND' END, 'state', to_jsonb(s));
  END IF;
  UPDATE mig_rows SET last_op = p_op WHERE id = p_id;
  RETURN jsonb_build_object('r', 'ok', 'state', to_jsonb(s));
END $f$;

-- What the other store says; older versions than what is here are left out. False: this one has the last word.
CREATE OR REPLACE FUNCTION mig_apply(p_rows jsonb, p_attempt int) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE s mig_state; r record; v bigint;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(${LOCK});
  SELECT * INTO s FROM mig_state;
  IF s.owner = s.me THEN RETURN false; END IF;
  FOR r IN SELECT * FROM jsonb_to_recordset(p_rows)
    AS x(id text, version bigint, there boolean, email text, cents text, closed_on text, op text) ORDER BY id
  LOOP
    INSERT INTO mig_rows (id, version) VALUES (r.id, -1) ON CONFLICT DO NOTHING;
    SELECT version INTO v FROM mig_rows WHERE id = r.id FOR UPDATE;
    CONTINUE WHEN r.version < v;
    IF r.there THEN ${put[me]}
    ELSE DELETE FROM accounts WHERE id = r.id;
    END IF;
    UPDATE mig_rows SET version = r.version, noted = false, attempt = p_attempt, last_op = r.op WHERE id = r.id;
  END LOOP;
  RETURN true;
END $f$;

CREATE OR REPLACE FUNCTION mig_arrived(p_ids text[], p_versions bigint[], p_attempt int) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT AS $f$
  WITH mine AS (
    SELECT m.id FROM mig_rows m JOIN unnest(p_ids, p_versions) AS x(id, version)
      ON m.id = x.id AND m.version = x.version ORDER BY m.id FOR UPDATE OF m)
  UPDATE mig_rows SET noted = false, attempt = p_attempt WHERE id IN (SELECT id FROM mine)
    AND (id, version) IN (SELECT * FROM unnest(p_ids, p_versions))
$f$;

CREATE OR REPLACE FUNCTION mig_set_phase(p_epoch bigint, p_phase text) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE s mig_state;
BEGIN
  PERFORM set_config('lock_timeout', '250ms', true);
  PERFORM pg_advisory_xact_lock(${LOCK});
  UPDATE mig_state SET attempt = attempt + CASE WHEN phase = 'legacy' AND p_phase <> 'legacy' THEN 1 ELSE 0 END,
    phase = p_phase, epoch = epoch + 1
    WHERE epoch = p_epoch AND owner = me;
  SELECT * INTO s FROM mig_state;
  RETURN to_jsonb(s);
END $f$;

-- The other store has handed the last word over, or kept it: said by whoever finds out first.
CREATE OR REPLACE FUNCTION mig_learn(p_epoch bigint, p_phase text, p_owner text, p_attempt int) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE s mig_state;
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCK});
  UPDATE mig_state SET epoch = p_epoch, phase = p_phase, owner = p_owner, attempt = p_attempt WHERE epoch < p_epoch;
  SELECT * INTO s FROM mig_state;
  RETURN to_jsonb(s);
END $f$;
`;

const columns = {
  legacy: "a.email, a.cents, a.closed_on",
  modern:
    "a.email, a.balance_cents::text AS cents, to_char(a.closed_on, 'YYYY-MM-DD') AS closed_on",
};
const rowOf = (me: StoreName) =>
  `a.id IS NOT NULL AS there, ${columns[me]}, coalesce(r.version, 0)::text AS version,
   coalesce(r.noted, false) AS noted, coalesce(r.attempt, 0) AS copied_in, r.last_op AS op`;

export const sql = {
  state: "SELECT to_jsonb(s) AS state FROM mig_state s",
  status: `SELECT to_jsonb(s) AS state, (SELECT count(*)::int FROM mig_rows WHERE noted) AS pending FROM mig_state s`,
  left: `SELECT to_jsonb(s) AS state, EXISTS (SELECT FROM mig_rows r WHERE r.attempt < s.attempt AND NOT r.noted) AS uncopied,
    EXISTS (SELECT FROM mig_rows WHERE noted) AS noted FROM mig_state s`,
  read: (me: StoreName) => `SELECT to_jsonb(s) AS state, q.id, ${rowOf(me)}
    FROM mig_state s CROSS JOIN unnest($1::text[]) WITH ORDINALITY AS q(id, n)
    LEFT JOIN mig_rows r ON r.id = q.id LEFT JOIN accounts a ON a.id = q.id ORDER BY q.n`,
  noted: (me: StoreName) => `SELECT to_jsonb(s) AS state, r.id, ${rowOf(me)}
    FROM mig_state s LEFT JOIN (SELECT * FROM mig_rows WHERE noted ORDER BY noted_at LIMIT $1) r ON true
    LEFT JOIN accounts a ON a.id = r.id`,
  claim: `WITH next AS (
      SELECT m.id FROM mig_rows m, mig_state s WHERE m.attempt < s.attempt AND NOT m.noted
        AND s.owner = s.me AND s.phase <> 'legacy'
      ORDER BY m.claimed_at NULLS FIRST LIMIT $1 FOR UPDATE OF m SKIP LOCKED)
    UPDATE mig_rows SET claimed_at = clock_timestamp() WHERE id IN (SELECT id FROM next) RETURNING id`,
  page: (me: StoreName) => `SELECT a.id, true AS there, ${columns[me]} FROM accounts a
    WHERE a.id COLLATE "C" > $1 ORDER BY a.id COLLATE "C" LIMIT $2`,
  range: (me: StoreName) => `SELECT a.id, true AS there, ${columns[me]} FROM accounts a
    WHERE a.id COLLATE "C" > $1 AND ($2::text IS NULL OR a.id COLLATE "C" <= $2)`,
  apply: "SELECT mig_apply($1::jsonb, $2) AS ok",
  arrived: "SELECT mig_arrived($1::text[], $2::bigint[], $3)",
  write: "SELECT mig_write($1, $2, $3, $4::jsonb, $5) AS w",
  setPhase: "SELECT mig_set_phase($1, $2) AS state",
  learn: "SELECT mig_learn($1, $2, $3, $4) AS state",
  lock: `SELECT pg_advisory_xact_lock(${LOCK})`,
  handOver: `UPDATE mig_state SET owner = $2, phase = $3, epoch = epoch + 1
    WHERE epoch = $1 AND owner = me RETURNING to_jsonb(mig_state) AS state`,
  prune: "DELETE FROM mig_ops WHERE at < now() - interval '15 minutes'",
};
