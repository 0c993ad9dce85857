import { defineExperiment } from "@db-katas/measure";
import { connectTo, oneDatabase } from "./database.ts";

const indexes = {
  unique: "CREATE INDEX tried ON events (id)",
  repeated: "CREATE INDEX tried ON events (kind)",
  nulls: "CREATE INDEX tried ON events (closed_on)",
  partial: "CREATE INDEX tried ON events (owner) WHERE kind = 'kind-0003'",
};

export default defineExperiment({
  title: "How far the size that HypoPG expects of an index is from the one that it has.",
  parameters: { events: { what: "rows of the table", full: 200_000, quick: 50_000 } },
  engines: oneDatabase,
  contenders: {
    unique: { what: "a number that is another in each row" },
    repeated: { what: "one of 50 texts, which a btree keeps once for many rows" },
    nulls: { what: "a date that one row in a hundred has" },
    partial: { what: "the rows of one text in 50" },
  },
  metrics: {
    off: {
      what: "the larger of both sizes in proportion to the smaller",
      kind: "value",
      unit: "1",
    },
    estimated: { what: "hypopg_relation_size", kind: "value", unit: "B" },
    real: { what: "pg_relation_size, once it is built", kind: "value", unit: "B" },
  },
  // The same rows give the same pages.
  turns: 5,
  warmUpTurns: 0,
  async open({ leases, parameters: { events = 1 } }) {
    const client = await connectTo(leases);
    await client.query(
      "CREATE TABLE events (id int, kind text NOT NULL, closed_on date, owner int NOT NULL)",
    );
    await client.query(
      `INSERT INTO events
       SELECT n, 'kind-' || lpad((n * 31 % 50)::text, 4, '0'),
         CASE WHEN n % 100 = 0 THEN date '2026-01-01' + n % 300 END, n * 7919 % 10000
       FROM generate_series(1, $1) AS n`,
      [events],
    );
    await client.query("VACUUM ANALYZE events");
    const bytes = async (sql: string): Promise<number> =>
      Number((await client.query<{ bytes: string }>(sql)).rows[0]?.bytes);
    return {
      async measure(contender, turn) {
        const sql = indexes[contender as keyof typeof indexes];
        await client.query("SELECT hypopg_create_index($1)", [sql]);
        const estimated = await bytes(
          "SELECT hypopg_relation_size(indexrelid) AS bytes FROM hypopg_list_indexes",
        );
        await client.query("SELECT hypopg_reset()");
        await client.query(sql);
        const real = await bytes("SELECT pg_relation_size('tried') AS bytes");
        await client.query("DROP INDEX tried");
        turn.record("estimated", estimated);
        turn.record("real", real);
        turn.record("off", Math.max(estimated, real) / Math.min(estimated, real));
      },
      [Symbol.asyncDispose]: () => client.end(),
    };
  },
});
