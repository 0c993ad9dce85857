import { defineExperiment } from "@db-katas/measure";
import { analyze, connectTo, oneDatabase } from "./database.ts";

const INDEX = "CREATE INDEX orders_customer ON orders (customer)";
const STATEMENT = "SELECT * FROM orders WHERE customer = 4242";

export default defineExperiment({
  title: "What EXPLAIN (ANALYZE) tells of an index that HypoPG only pretends.",
  parameters: { orders: { what: "rows of the table", full: 200_000, quick: 50_000 } },
  engines: oneDatabase,
  contenders: {
    none: { what: "no index" },
    pretended: { what: "HypoPG pretends one" },
    built: { what: "there is one" },
  },
  metrics: {
    cost: { what: "what the planner expects, without ANALYZE", kind: "value", unit: "cost" },
    touched: { what: "blocks of table and index, by ANALYZE", kind: "value", unit: "blocks" },
  },
  // Neither varies with what else the machine does.
  turns: 5,
  warmUpTurns: 1,
  async open({ leases, parameters: { orders = 1 } }) {
    const client = await connectTo(leases);
    await client.query(
      "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, note text)",
    );
    await client.query(
      "INSERT INTO orders SELECT n, n * 7919 % 10000, repeat('x', 60) FROM generate_series(1, $1) AS n",
      [orders],
    );
    await client.query("VACUUM ANALYZE orders");
    const prepare = { none: undefined, pretended: "SELECT hypopg_create_index($1)", built: INDEX };
    return {
      async measure(contender, turn) {
        const sql = prepare[contender as keyof typeof prepare];
        if (sql) await client.query(sql, sql === INDEX ? [] : [INDEX]);
        const { rows } = await client.query(`EXPLAIN (FORMAT JSON) ${STATEMENT}`);
        turn.record("cost", rows[0]["QUERY PLAN"][0].Plan["Total Cost"]);
        turn.record("touched", (await analyze(client, STATEMENT)).blocks);
        await client.query("SELECT hypopg_reset()");
        await client.query("DROP INDEX IF EXISTS orders_customer");
      },
      [Symbol.asyncDispose]: () => client.end(),
    };
  },
});
