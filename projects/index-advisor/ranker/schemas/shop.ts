/** Customers, orders and their items: equality, ranges, joins, sorting. */
import { type Schema, share, skewed, templates, whole } from "./schema.ts";

const STATES = ["new", "paid", "packed", "sent", "returned"];

export const shop: Schema = {
  name: "shop",
  rows: 90_000,
  setup: (rows) => [
    `CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, country text NOT NULL,
       born date, credit int NOT NULL, note text)`,
    `INSERT INTO customers SELECT n, 'user' || ${whole(1, 1_000_000)} || '@example.org',
       (ARRAY['de','fr','pl','it','se','pt','no','ee'])[1 + ${skewed(2, 8)}],
       CASE WHEN ${share(3)} < 0.8 THEN date '1950-01-01' + ${whole(4, 20_000)} END,
       ${whole(5, 10_000)}, repeat('x', ${whole(6, 80)})
     FROM generate_series(1, ${Math.round(rows / 9)}) AS n`,
    `CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL, state text NOT NULL,
       placed_at timestamp NOT NULL, total_cents int NOT NULL, shipped_on date, coupon text)`,
    `INSERT INTO orders SELECT n, 1 + ${whole(7, Math.round(rows / 9))},
       (ARRAY['${STATES.join("','")}'])[5 - ${skewed(8, 5)}],
       timestamp '2025-01-01' + n * interval '2 minutes', ${whole(9, 100_000)},
       CASE WHEN ${share(10)} < 0.7 THEN date '2025-01-01' + ${whole(11, 300)} END,
       CASE WHEN ${share(12)} < 0.03 THEN 'C' || ${whole(13, 50)} END
     FROM generate_series(1, ${Math.round(rows / 3)}) AS n`,
    `CREATE TABLE items (order_id int NOT NULL, line int NOT NULL, product_id int NOT NULL,
       quantity int NOT NULL, price_cents int NOT NULL, gift boolean NOT NULL)`,
    `INSERT INTO items SELECT 1 + n / 3, n % 3, 1 + ${skewed(14, 2_000)}, 1 + ${skewed(15, 9)},
       ${whole(16, 20_000)}, ${share(17)} < 0.02
     FROM generate_series(1, ${rows}) AS n`,
    `CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL, category int NOT NULL,
       weight_grams int, listed_on date NOT NULL)`,
    `INSERT INTO products SELECT n, 'product ' || md5(n::text), ${skewed(18, 40)},
       CASE WHEN ${share(19)} < 0.5 THEN ${whole(20, 5_000)} END, date '2020-01-01' + ${whole(21, 2_000)}
     FROM generate_series(1, 2000) AS n`,
  ],
  templates: templates("shop", {
    "orders of a customer": (r) => `SELECT * FROM orders WHERE customer_id = ${r.int(1, 9_000)}`,
    "newest orders of a customer": (r) =>
      `SELECT id, placed_at FROM orders WHERE customer_id = ${r.int(1, 9_000)} ORDER BY placed_at DESC LIMIT 5`,
    "orders of a state": (r) =>
      `SELECT id, total_cents FROM orders WHERE state = '${r.pick(STATES)}'`,
    "orders of a state that are dear": (r) =>
      `SELECT id FROM orders WHERE state = '${r.pick(STATES)}' AND total_cents > ${r.pick([50_000, 95_000, 99_500])}`,
    "orders of some days": (r) => {
      const from = r.int(1, 35);
      return `SELECT count(*), sum(total_cents) FROM orders WHERE placed_at >= timestamp '2025-01-01' + interval '${from} days' AND placed_at < timestamp '2025-01-01' + interval '${from + r.pick([1, 7, 25])} days'`;
    },
    "newest orders": () => "SELECT id, customer_id FROM orders ORDER BY placed_at DESC LIMIT 20",
    "dearest orders": (r) =>
      `SELECT id FROM orders ORDER BY total_cents DESC LIMIT ${r.pick([10, 5_000])}`,
    "orders with a coupon": (r) => `SELECT id FROM orders WHERE coupon = 'C${r.int(0, 49)}'`,
    "orders not shipped": () => "SELECT count(*) FROM orders WHERE shipped_on IS NULL",
    "orders not shipped of a state": (r) =>
      `SELECT id FROM orders WHERE shipped_on IS NULL AND state = '${r.pick(STATES)}' ORDER BY placed_at LIMIT 50`,
    "orders by state": () => "SELECT state, count(*) FROM orders GROUP BY state",
    "orders a day": () => "SELECT shipped_on, count(*) FROM orders GROUP BY shipped_on",
    "customer by email": (r) =>
      `SELECT * FROM customers WHERE email = 'user${r.int(0, 999_999)}@example.org'`,
    "customer by email, whatever case": (r) =>
      `SELECT id FROM customers WHERE lower(email) = 'user${r.int(0, 999_999)}@example.org'`,
    "customers whose email begins so": (r) =>
      `SELECT id FROM customers WHERE email LIKE 'user${r.int(10, 999)}%'`,
    "customers of a country": (r) =>
      `SELECT id, credit FROM customers WHERE country = '${r.pick(["de", "no", "ee"])}'`,
    "customers of a country by credit": (r) =>
      `SELECT id FROM customers WHERE country = '${r.pick(["de", "se", "ee"])}' AND credit BETWEEN ${r.int(0, 50) * 100} AND ${r.pick([5_500, 9_900])} ORDER BY credit`,
    "customers born then": (r) =>
      `SELECT id FROM customers WHERE born BETWEEN date '19${r.int(50, 95)}-01-01' AND date '19${r.int(50, 95)}-12-31'`,
    "items of an order": (r) => `SELECT * FROM items WHERE order_id = ${r.int(1, 30_000)}`,
    "items of some orders": (r) =>
      `SELECT product_id, quantity FROM items WHERE order_id IN (${Array.from({ length: 5 }, () => r.int(1, 30_000)).join(", ")})`,
    "sales of a product": (r) =>
      `SELECT sum(quantity) FROM items WHERE product_id = ${r.pick([1, 40, 900, 1_950])}`,
    "gifts that are dear": (r) =>
      `SELECT order_id FROM items WHERE gift AND price_cents > ${r.pick([1_000, 19_000])}`,
    "products of a category": (r) =>
      `SELECT id, name FROM products WHERE category = ${r.int(0, 39)}`,
    "items with orders of a customer": (r) =>
      `SELECT o.id, i.product_id FROM orders o JOIN items i ON i.order_id = o.id WHERE o.customer_id = ${r.int(1, 9_000)}`,
    "customers' orders by email": (r) =>
      `SELECT o.id, o.total_cents FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.email LIKE 'user${r.int(100, 999)}%'`,
    "sales by category": () =>
      "SELECT p.category, sum(i.price_cents * i.quantity) FROM items i JOIN products p ON p.id = i.product_id GROUP BY p.category",
    "sales of a category in some days": (r) =>
      `SELECT sum(i.price_cents) FROM products p JOIN items i ON i.product_id = p.id JOIN orders o ON o.id = i.order_id WHERE p.category = ${r.int(0, 39)} AND o.placed_at > timestamp '2025-02-08'`,
    "customers without an order": () =>
      "SELECT count(*) FROM customers c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id)",
    "orders or customers": (r) =>
      `SELECT id FROM orders WHERE customer_id = ${r.int(1, 9_000)} OR coupon = 'C${r.int(0, 49)}'`,
    "returned and dear of a country": (r) =>
      `SELECT c.id, o.id FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.country = '${r.pick(["de", "ee"])}' AND o.state = 'new' AND o.total_cents > ${r.pick([10_000, 90_000])}`,
  }),
};
