CREATE TABLE IF NOT EXISTS told (id text PRIMARY KEY);

CREATE TABLE IF NOT EXISTS payments (
  id text PRIMARY KEY,
  order_id text NOT NULL,
  authorized boolean NOT NULL DEFAULT false,
  disputed boolean NOT NULL DEFAULT false,
  currency text,
  captured numeric(20) NOT NULL DEFAULT 0,
  refunded numeric(20) NOT NULL DEFAULT 0,
  captured_at bigint,
  shipped boolean NOT NULL DEFAULT false
);
CREATE SEQUENCE IF NOT EXISTS captures;

CREATE TABLE IF NOT EXISTS refunds (
  subject text PRIMARY KEY,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  payment text NOT NULL,
  event text NOT NULL,
  amount numeric(20) NOT NULL,
  currency text NOT NULL,
  settled boolean NOT NULL DEFAULT false
);

CREATE TABLE IF NOT EXISTS aside (
  key text PRIMARY KEY,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  event text,
  reason text NOT NULL
);

CREATE OR REPLACE FUNCTION record(event jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  paid payments;
  refund refunds;
BEGIN
  INSERT INTO told VALUES (event->>'id') ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO payments (id, order_id) VALUES (event->>'payment', event->>'order')
    ON CONFLICT DO NOTHING;
  SELECT * INTO paid FROM payments WHERE id = event->>'payment';

  CASE event->>'type'
    WHEN 'payment.authorized' THEN paid.authorized := true;
    WHEN 'payment.disputed' THEN paid.disputed := true;
    WHEN 'payment.captured' THEN
      IF paid.currency IS NULL THEN
        paid.currency := event->>'currency';
        paid.captured := (event->>'amount')::numeric;
        paid.captured_at := nextval('captures');
      END IF;
    ELSE
      INSERT INTO refunds (subject, payment, event, amount, currency)
        VALUES (event->>'subject', paid.id, event->>'id', (event->>'amount')::numeric,
                event->>'currency')
        ON CONFLICT DO NOTHING;
  END CASE;

  IF paid.currency IS NOT NULL THEN
    FOR refund IN SELECT * FROM refunds WHERE payment = paid.id AND NOT settled ORDER BY arrival LOOP
      IF refund.currency = paid.currency AND paid.refunded + refund.amount <= paid.captured THEN
        paid.refunded := paid.refunded + refund.amount;
      ELSE
        INSERT INTO aside (key, event, reason)
          VALUES (refund.event, refund.event, 'a refund that the payment can''t bear')
          ON CONFLICT DO NOTHING;
      END IF;
      UPDATE refunds SET settled = true WHERE subject = refund.subject;
    END LOOP;
  END IF;
  UPDATE payments SET authorized = paid.authorized, disputed = paid.disputed,
    currency = paid.currency, captured = paid.captured, refunded = paid.refunded,
    captured_at = paid.captured_at
    WHERE id = paid.id;
END $$;
