/** Customers and their orders, and documents of every kind. */
export const SHOP = `
CREATE TABLE customers (id bigint PRIMARY KEY, email varchar(40) COLLATE "en-x-icu" NOT NULL, region text, born date);
CREATE TABLE orders (id bigint PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
  status text NOT NULL, total numeric(10, 2), created_at timestamptz NOT NULL, note text, done boolean NOT NULL);
CREATE TABLE lines (order_id bigint NOT NULL REFERENCES orders, n int NOT NULL, what text);
CREATE TABLE docs (id int PRIMARY KEY, tags text[], data jsonb, body text, during tstzrange, place point);
CREATE VIEW open_orders AS SELECT id, customer_id AS who, created_at FROM orders WHERE status = 'open';
INSERT INTO customers SELECT g, 'u' || g || '@example.org', 'r' || g % 7, date '1970-01-01' + g % 9000 FROM generate_series(1, 2000) g;
INSERT INTO orders SELECT g, 1 + g % 2000, CASE WHEN g % 100 = 0 THEN 'open' WHEN g % 10 = 0 THEN 'paid' ELSE 'done' END,
  (g % 997) / 10.0, timestamptz '2025-01-01 00:00Z' + g * interval '1 min', 'note ' || md5(g::text), g % 3 = 0 FROM generate_series(1, 20000) g;
INSERT INTO lines SELECT g, 1, 'what' FROM generate_series(1, 20000) g;
INSERT INTO docs SELECT g, ARRAY['a' || g % 50, 'b' || g % 3], jsonb_build_object('kind', 'k' || g % 20, 'n', g), 'lorem ipsum word' || g % 300,
  tstzrange(timestamptz '2025-01-01 00:00Z' + g * interval '1 h', timestamptz '2025-01-01 00:00Z' + (g + 5) * interval '1 h'),
  point(g % 70, g % 90) FROM generate_series(1, 5000) g;
ANALYZE`;
