export const SCHEMA = `
CREATE TABLE customer (
  id integer PRIMARY KEY, number text NOT NULL UNIQUE, email text NOT NULL, name text NOT NULL);
CREATE TABLE invoice (
  id bigint PRIMARY KEY, customer_id integer NOT NULL REFERENCES customer, issued_on date NOT NULL,
  state text NOT NULL, amount numeric(12,2) NOT NULL, reference text NOT NULL, weight double precision NOT NULL);
CREATE TABLE payment (
  id bigint PRIMARY KEY, invoice_id bigint NOT NULL REFERENCES invoice, amount numeric(12,2) NOT NULL);
`;

/** What is superfluous, and what is not though it looks so. */
export const INDEXES: readonly string[] = [
  // The second one is the same; so is the unique one of the constraint, which has to stay.
  "CREATE INDEX invoice_customer_idx ON invoice (customer_id)",
  "CREATE INDEX invoice_customer_idx1 ON invoice (customer_id)",
  "CREATE INDEX customer_number_idx ON customer (number)",
  "CREATE INDEX payment_id_idx ON payment (id)",
  // This one begins as both of the first two do, so that both can go.
  "CREATE INDEX invoice_customer_issued_idx ON invoice (customer_id, issued_on)",
  // Not the same: a predicate, an operator class, a direction, an order of its own.
  "CREATE INDEX invoice_open_idx ON invoice (customer_id) WHERE state = 'open'",
  "CREATE INDEX customer_email_pattern_idx ON customer (email text_pattern_ops)",
  "CREATE INDEX customer_email_idx ON customer (email)",
  "CREATE INDEX invoice_state_issued_idx ON invoice (state, issued_on DESC)",
  "CREATE INDEX invoice_state_issued_up_idx ON invoice (state, issued_on)",
  // It is what a replica would find rows by.
  "CREATE UNIQUE INDEX customer_email_key ON customer (email, id)",
  "ALTER TABLE customer REPLICA IDENTITY USING INDEX customer_email_key",
];

/** Each fails on its rows: concurrent builds then leave an index that is kept up to date and never used. */
export const INVALID: readonly string[] = [
  "CREATE UNIQUE INDEX CONCURRENTLY invoice_reference_key ON invoice (reference)",
];
