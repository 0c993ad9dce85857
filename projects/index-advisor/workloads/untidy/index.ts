import { randomFrom } from "@db-katas/grading";
import { drawsFrom } from "../draws.ts";
import type { Workload } from "../workload.ts";
import { INDEXES, INVALID, SCHEMA } from "./indexes.ts";

/** At scale 1. */
const CUSTOMERS = 100_000;
const INVOICES = 1_000_000;

const workload: Workload = {
  name: "untidy",
  summary:
    "invoices with the indexes of many years: doubled, overtaken, broken, and some that only look superfluous; 1,000,000 invoices at scale 1",
  smallScale: 0.03,
  async load(client, { scale, seed }) {
    const { integer, pick, share, skewed } = drawsFrom(seed);
    const customers = Math.ceil(CUSTOMERS * scale);
    await client.query(SCHEMA);
    await client.query(`INSERT INTO customer SELECT i, 'C' || lpad(i::text, 8, '0'), 'person' || i || '@example.org', 'Customer ' || i
      FROM generate_series(1, ${customers}) AS i`);
    await client.query(`INSERT INTO invoice SELECT i, ${skewed("i", "customer", customers, 1.5)}, date '2020-01-01' + ${integer("i", "day", 0, 3_650)},
      ${pick("i", "state", ["paid", "paid", "paid", "paid", "open", "void"])}, ${integer("i", "amount", 100, 1_000_000)} / 100.0,
      'R' || lpad(${integer("i", "reference", 1, Math.ceil(INVOICES * scale * 2))}::text, 9, '0'), ${share("i", "weight")}
      FROM generate_series(1, ${Math.ceil(INVOICES * scale)}) AS i`);
    await client.query(
      "INSERT INTO payment SELECT id, id, amount FROM invoice WHERE state = 'paid'",
    );
    for (const index of INDEXES) await client.query(index);
    for (const index of INVALID) {
      // References repeat, so that it fails, and leaves the broken index that is wanted here.
      await client.query(index).then(
        () => Promise.reject(new Error(`It should have failed: ${index}`)),
        (error: { code?: string }) => (error.code === "23505" ? undefined : Promise.reject(error)),
      );
    }
    await client.query("ANALYZE");
  },
  // As pg_stat_statements writes them.
  statements: ({ seed }) => {
    const random = randomFrom(seed);
    const around = (calls: number) => random.int(Math.ceil(calls * 0.8), Math.ceil(calls * 1.2));
    return [
      {
        sql: "SELECT * FROM invoice WHERE customer_id = $1 ORDER BY issued_on DESC LIMIT $2",
        calls: around(9_000),
      },
      {
        sql: "SELECT id, amount FROM invoice WHERE customer_id = $1 AND issued_on >= $2",
        calls: around(4_000),
      },
      { sql: "SELECT * FROM invoice WHERE reference = $1", calls: around(3_000) },
      {
        sql: "SELECT i.id, i.amount FROM invoice i LEFT JOIN payment p ON p.invoice_id = i.id WHERE i.state = $1 AND i.issued_on < $2 AND p.id IS NULL",
        calls: around(20),
      },
      { sql: "SELECT id FROM customer WHERE email = $1", calls: around(2_000) },
      {
        sql: "SELECT state, sum(amount) FROM invoice WHERE issued_on BETWEEN $1 AND $2 GROUP BY state",
        calls: around(30),
      },
      {
        sql: "INSERT INTO invoice (id, customer_id, issued_on, state, amount, reference, weight) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        calls: around(5_000),
      },
      { sql: "UPDATE invoice SET state = $1 WHERE id = $2", calls: around(4_000) },
      { sql: "DELETE FROM customer WHERE id = $1", calls: around(5) },
    ];
  },
};
export default workload;
