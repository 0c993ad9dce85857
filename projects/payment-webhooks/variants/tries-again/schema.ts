/**
 * The rules of the exercise as PostgreSQL keeps them. Everything that changes something is one function
 * call, so one message and one transaction: a node can die before it or after it, never within.
 */
export const migrations: readonly string[] = [
  /* sql */ `
CREATE DOMAIN minor_units AS bigint CHECK (VALUE BETWEEN 0 AND 99999999999999999);
CREATE DOMAIN currency_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');

-- One row per payment, and the lock under which everything about it is decided.
CREATE TABLE payments (
  id         text PRIMARY KEY,
  order_id   text NOT NULL,
  authorized boolean NOT NULL DEFAULT false,
  disputed   boolean NOT NULL DEFAULT false,
  currency   currency_code,
  captured   minor_units NOT NULL DEFAULT 0,
  refunded   minor_units NOT NULL DEFAULT 0,
  state      text NOT NULL GENERATED ALWAYS AS (
    CASE WHEN disputed THEN 'disputed'
         WHEN captured::bigint > 0 AND refunded::bigint = captured::bigint THEN 'refunded'
         WHEN captured::bigint > 0 THEN 'captured'
         WHEN authorized THEN 'authorized'
         ELSE 'pending' END) STORED,
  CONSTRAINT no_more_back_than_came CHECK (refunded <= captured),
  CONSTRAINT captured_in_a_currency CHECK ((captured > 0) = (currency IS NOT NULL))
);
CREATE INDEX payments_by_currency ON payments (currency) INCLUDE (captured, refunded);

-- A notification is known by its id ...
CREATE TABLE notifications (
  id          text PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- ... and what it tells of by type and subject.
CREATE TABLE facts (
  type      text NOT NULL CHECK (type IN
              ('payment.authorized', 'payment.captured', 'payment.refunded', 'payment.disputed')),
  subject   text NOT NULL,
  seq       bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  event_id  text NOT NULL UNIQUE REFERENCES notifications,
  payment   text NOT NULL,
  amount    minor_units NOT NULL CHECK (amount > 0),
  currency  currency_code NOT NULL,
  status    text NOT NULL CHECK (status IN ('new', 'applied', 'waiting', 'rejected')),
  body      bytea NOT NULL,
  PRIMARY KEY (type, subject),
  CHECK (status <> 'waiting' OR type = 'payment.refunded')
);
CREATE UNIQUE INDEX facts_once_per_payment ON facts (payment, type)
  WHERE status = 'applied' AND type <> 'payment.refunded';
CREATE INDEX facts_waiting ON facts (payment, seq) WHERE status = 'waiting';

CREATE TABLE fulfilments (
  id           text PRIMARY KEY,
  seq          bigint GENERATED ALWAYS AS IDENTITY,
  payment      text NOT NULL UNIQUE REFERENCES payments,
  order_id     text NOT NULL,
  confirmed_at timestamptz
);
CREATE INDEX fulfilments_open ON fulfilments (seq) WHERE confirmed_at IS NULL;

-- "key" says what "once" means for it: the event's id, or the digest of a body that has none.
-- event_id is a JSON literal: it may hold what no text can (NUL, half a surrogate pair).
CREATE TABLE quarantine (
  key      text PRIMARY KEY,
  seq      bigint GENERATED ALWAYS AS IDENTITY,
  event_id text,
  reason   text NOT NULL,
  body     bytea NOT NULL,
  at       timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION put_aside(p_event_id text, p_key text, p_reason text, p_body bytea) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO quarantine (key, event_id, reason, body) VALUES (p_key, p_event_id, p_reason, p_body)
  ON CONFLICT DO NOTHING
$$;

-- A body that can't be applied. If this notification was recorded before, it is no news.
CREATE FUNCTION put_body_aside(p_id text, p_event_id text, p_key text, p_reason text, p_body bytea)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_id IS NOT NULL AND EXISTS (SELECT FROM notifications n WHERE n.id = p_id) THEN RETURN; END IF;
  PERFORM put_aside(p_event_id, p_key, p_reason, p_body);
END $$;

-- The payment's row is locked by the caller.
CREATE FUNCTION settle_refund(p_payment text, p_subject text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  f facts;
  p payments;
  why text;
BEGIN
  SELECT * INTO STRICT p FROM payments WHERE id = p_payment;
  SELECT * INTO STRICT f FROM facts WHERE type = 'payment.refunded' AND subject = p_subject;
  IF p.captured = 0 THEN
    UPDATE facts SET status = 'waiting' WHERE type = f.type AND subject = f.subject;
    RETURN;
  END IF;
  why := CASE
    WHEN f.currency <> p.currency THEN
      format('refund in %s of a payment captured in %s', f.currency, p.currency)
    WHEN p.refunded::bigint + f.amount::bigint > p.captured::bigint THEN
      format('refund of %s exceeds the %s left of %s', f.amount, p.captured - p.refunded, p.captured)
  END;
  IF why IS NULL THEN
    UPDATE payments SET refunded = refunded + f.amount WHERE id = p_payment;
    UPDATE facts SET status = 'applied' WHERE type = f.type AND subject = f.subject;
  ELSE
    UPDATE facts SET status = 'rejected' WHERE type = f.type AND subject = f.subject;
    PERFORM put_aside(to_json(f.event_id)::text, 'event:' || to_json(f.event_id)::text, why, f.body);
  END IF;
END $$;

CREATE FUNCTION record_event(
  p_id text, p_type text, p_subject text, p_payment text, p_order text, p_amount bigint,
  p_currency text, p_body bytea
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  w record;
BEGIN
  -- Who else holds this event or tells of this thing decides here: we wait for its commit.
  INSERT INTO notifications (id) VALUES (p_id) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN 'known'; END IF;
  INSERT INTO facts (type, subject, event_id, payment, amount, currency, status, body)
    VALUES (p_type, p_subject, p_id, p_payment, p_amount, p_currency, 'new', p_body)
    ON CONFLICT (type, subject) DO NOTHING;
  IF NOT FOUND THEN RETURN 'known'; END IF;

  -- From here on we are alone with this payment, and see what those before us committed.
  INSERT INTO payments (id, order_id) VALUES (p_payment, p_order) ON CONFLICT DO NOTHING;
  PERFORM FROM payments WHERE id = p_payment FOR UPDATE;

  IF p_type = 'payment.refunded' THEN
    PERFORM settle_refund(p_payment, p_subject);
    RETURN 'recorded';
  END IF;

  IF EXISTS (SELECT FROM facts WHERE payment = p_payment AND type = p_type AND status = 'applied') THEN
    UPDATE facts SET status = 'rejected' WHERE type = p_type AND subject = p_subject;
    PERFORM put_aside(to_json(p_id)::text, 'event:' || to_json(p_id)::text,
                      'a second ' || p_type || ' of one payment', p_body);
    RETURN 'put aside';
  END IF;
  UPDATE facts SET status = 'applied' WHERE type = p_type AND subject = p_subject;

  CASE p_type
    WHEN 'payment.authorized' THEN UPDATE payments SET authorized = true WHERE id = p_payment;
    WHEN 'payment.disputed' THEN UPDATE payments SET disputed = true WHERE id = p_payment;
    WHEN 'payment.captured' THEN
      UPDATE payments SET captured = p_amount, currency = p_currency WHERE id = p_payment;
      INSERT INTO fulfilments (id, payment, order_id) VALUES ('ship:' || p_payment, p_payment, p_order);
      FOR w IN SELECT subject FROM facts WHERE payment = p_payment AND status = 'waiting' ORDER BY seq
      LOOP
        PERFORM settle_refund(p_payment, w.subject);
      END LOOP;
  END CASE;
  RETURN 'recorded';
END $$;
`,
];
