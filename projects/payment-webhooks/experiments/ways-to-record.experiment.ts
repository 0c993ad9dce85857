import { defineExperiment } from "@db-katas/measure";
import { Redis } from "ioredis";
import pg from "pg";
import type { Purchase } from "../grading/provider.ts";
import { leasesOf, migrate, ownStores, payments, setAsByDefault } from "./stage.ts";

const CLIENTS = 8;
/** As long as the reference's. */
const KEPT_SECONDS = 3 * 24 * 60 * 60;

type Query = (text: string, values?: unknown[]) => Promise<unknown>;

export default defineExperiment({
  title: "What it takes to record a capture, by where it is noted that its event is known.",
  parameters: {},
  engines: ownStores,
  contenders: {
    "one-transaction": { what: "a row in PostgreSQL, in the transaction that credits" },
    "mark-in-redis": { what: "SET NX in Redis, then the transaction that credits" },
    "two-transactions": { what: "a row in PostgreSQL, then the transaction that credits" },
  },
  load: { kind: "closed", clients: CLIENTS, ms: 300 },
  async open(stage) {
    await using opening = new AsyncDisposableStack();
    await setAsByDefault(stage.leases);
    await migrate(stage.leases);
    const { postgres, redis } = leasesOf(stage.leases);
    const pool = opening.adopt(
      new pg.Pool({ connectionString: await postgres.urlFor("a"), max: CLIENTS }),
      (each) => each.end(),
    );
    const marks = opening.adopt(new Redis(await redis.urlFor("a")), (each) => each.disconnect());
    const next = payments(stage);

    const note = (query: Query, id: string) =>
      query("INSERT INTO events (id) VALUES ($1) ON CONFLICT DO NOTHING", [id]);
    const inTransaction = async (work: (query: Query) => Promise<unknown>) => {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        await work((text, values) => client.query(text, values));
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    };
    const ways: Readonly<Record<string, (purchase: Purchase, id: string) => Promise<void>>> = {
      "one-transaction": (purchase, id) =>
        inTransaction(async (query) => {
          await note(query, id);
          await credit(query, purchase);
        }),
      "mark-in-redis": async (purchase, id) => {
        await marks.set(id, 1, "EX", KEPT_SECONDS, "NX");
        await inTransaction((query) => credit(query, purchase));
      },
      "two-transactions": async (purchase, id) => {
        await note((text, values) => pool.query(text, values), id);
        await inTransaction((query) => credit(query, purchase));
      },
    };
    const opened = opening.move();
    return {
      async measure(contender, turn) {
        await turn.load(async () => {
          const purchase = next();
          await ways[contender]?.(purchase, purchase.captured().id);
        });
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    };
  },
});

/** What follows from a capture that is news. */
async function credit(query: Query, { payment, order, amount, currency }: Purchase): Promise<void> {
  await query("INSERT INTO payments (id, order_id, currency, captured) VALUES ($1, $2, $3, $4)", [
    payment,
    order,
    currency,
    String(amount),
  ]);
  await query("INSERT INTO fulfilments (id, payment, order_id) VALUES ($1, $1, $2)", [
    payment,
    order,
  ]);
}
