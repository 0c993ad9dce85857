import { defineExperiment } from "@db-katas/measure";
import pg from "pg";
import { bothStores, leasesOf, migrate, openNode, payments, tell } from "./stage.ts";

export default defineExperiment({
  title: "What it costs to remember the ids of all events: time for a new one, and place.",
  parameters: { events: { what: "ids that are remembered already", full: 256_000, quick: 8_000 } },
  engines: bothStores,
  contenders: { node: { what: "a new capture, told to our node" } },
  metrics: {
    taken: { what: "the table of ids with its index", kind: "value", unit: "B" },
    each: { what: "the same, for one id", kind: "value", unit: "B/event" },
  },
  load: { kind: "closed", clients: 4, ms: 150 },
  turns: 15,
  async open(stage) {
    const { leases, parameters } = stage;
    const { events = 1 } = parameters;
    await migrate(leases);
    const { taken } = await remember(leasesOf(leases).postgres.adminUrl, events);
    const node = await openNode(leases);
    const next = payments(stage);
    return {
      async measure(_, turn) {
        await turn.load(() => tell(node, next().captured()));
        turn.record("taken", taken);
        turn.record("each", taken / events);
      },
      [Symbol.asyncDispose]: () => node.close(),
    };
  },
});

/** Notes ids such as a provider's, in random order. @returns the bytes that they take */
async function remember(adminUrl: string, events: number): Promise<{ taken: number }> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO events (id) SELECT 'evt_' || left(md5(n::text), 16)
       FROM generate_series(1, $1::int) AS n ON CONFLICT DO NOTHING`,
      [events],
    );
    await client.query("VACUUM ANALYZE events");
    const { rows } = await client.query<{ taken: string }>(
      "SELECT pg_total_relation_size('events') AS taken",
    );
    return { taken: Number(rows[0]?.taken) };
  } finally {
    await client.end();
  }
}
