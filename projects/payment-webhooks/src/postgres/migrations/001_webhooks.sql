-- Every notification that was recorded, so that it is recorded once.
CREATE TABLE events (
  id text PRIMARY KEY,
  received_at timestamptz NOT NULL DEFAULT now()
);

-- What is known of a payment. Nothing in here depends on the order in which it became known.
CREATE TABLE payments (
  id text PRIMARY KEY,
  order_id text NOT NULL,
  authorized boolean NOT NULL DEFAULT false,
  disputed boolean NOT NULL DEFAULT false,
  -- The capture, once there is one; amounts are in minor units.
  capture text,
  currency text,
  captured bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
  refunded bigint NOT NULL DEFAULT 0,
  CHECK (refunded BETWEEN 0 AND captured)
);
CREATE INDEX payments_by_currency ON payments (currency) INCLUDE (captured, refunded);

-- Refunds by what they are, not by who told of them. They wait until their payment is captured.
CREATE TABLE refunds (
  id text PRIMARY KEY,
  arrived bigint GENERATED ALWAYS AS IDENTITY,
  payment text NOT NULL REFERENCES payments,
  event_id text NOT NULL,
  amount bigint NOT NULL CHECK (amount > 0),
  currency text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'accepted', 'refused'))
);
CREATE INDEX waiting_refunds ON refunds (payment, arrived) WHERE state = 'waiting';

-- The outbox: what the warehouse has to be told, written with what it follows from.
CREATE TABLE fulfilments (
  id text PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  payment text NOT NULL UNIQUE REFERENCES payments,
  order_id text NOT NULL,
  confirmed_at timestamptz
);
CREATE INDEX open_fulfilments ON fulfilments (position) WHERE confirmed_at IS NULL;

-- For people to look at.
CREATE TABLE quarantine (
  key text PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  event_id text,
  reason text NOT NULL,
  body bytea,
  received_at timestamptz NOT NULL DEFAULT now()
);
