/** Variant: write it down first, understand it later. */
import { createHash } from "node:crypto";
import pg from "pg";
import type { Fulfilment, PaymentState, Quarantined, Submission } from "../../contract.ts";
import { logger } from "../../src/log.ts";
import { Database, type Query } from "../../src/postgres/database.ts";
import { isGenuine } from "../../src/signature.ts";
import { applyBatch } from "./apply.ts";

/** Where nobody asks, how long until somebody applies what came, in milliseconds. */
const IDLE_MS = 500;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS inbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The same bytes again are no news; other bytes are looked at when they are applied.
    digest text UNIQUE NOT NULL,
    body bytea NOT NULL,
    applied boolean NOT NULL DEFAULT false
  );
  CREATE INDEX IF NOT EXISTS to_apply ON inbox (position) WHERE NOT applied;
  CREATE TABLE IF NOT EXISTS happened (type text, subject text, PRIMARY KEY (type, subject));
  CREATE TABLE IF NOT EXISTS payments (
    id text PRIMARY KEY, order_id text NOT NULL,
    authorized boolean NOT NULL DEFAULT false, disputed boolean NOT NULL DEFAULT false,
    currency text, captured bigint NOT NULL DEFAULT 0, refunded bigint NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS waiting (
    position bigint GENERATED ALWAYS AS IDENTITY, event text PRIMARY KEY,
    payment text NOT NULL, amount bigint NOT NULL, currency text NOT NULL
  );
  CREATE TABLE IF NOT EXISTS outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment text NOT NULL UNIQUE, order_id text NOT NULL, done boolean NOT NULL DEFAULT false
  );
  CREATE TABLE IF NOT EXISTS aside (
    position bigint GENERATED ALWAYS AS IDENTITY, key text PRIMARY KEY,
    event text, reason text NOT NULL
  );`;

interface Row {
  readonly order_id: string;
  readonly authorized: boolean;
  readonly disputed: boolean;
  readonly currency: string | null;
  readonly captured: string;
  readonly refunded: string;
}

export default {
  async migrate(postgres) {
    const client = new pg.Client({ connectionString: postgres });
    await client.connect();
    try {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(34); ${SCHEMA} COMMIT;`);
    } finally {
      await client.end();
    }
  },

  async createNode(config) {
    const log = logger(config.name);
    const budgetMs = Math.round(config.requestBudgetMs * 0.8);
    const database = new Database(config.postgres, budgetMs, log);
    /** What was acknowledged before this was called is applied when `read` is. */
    const upToDate = async <T>(read: (query: Query) => Promise<T>): Promise<T> => {
      while (await database.transaction(applyBatch));
      return await read((text, values) => database.query(text, values));
    };
    const timer = setInterval(() => {
      upToDate(async () => {}).catch((error) => log.warn({ error: String(error) }, "not applied"));
    }, IDLE_MS);
    return {
      async receive({ headers, rawBody }) {
        if (!isGenuine(headers, rawBody, config)) return { status: 401 };
        const digest = createHash("sha256").update(rawBody).digest("hex");
        try {
          await database.query(
            "INSERT INTO inbox (digest, body) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [digest, Buffer.from(rawBody)],
          );
          return { status: 200 };
        } catch {
          return { status: 503 };
        }
      },
      payment: (id) =>
        upToDate(async (query) => {
          const [row] = await query<Row>("SELECT * FROM payments WHERE id = $1", [id]);
          if (!row) return null;
          const [captured, refunded] = [BigInt(row.captured), BigInt(row.refunded)];
          return { id, order: row.order_id, state: stateOf(row), captured, refunded };
        }),
      balance: (currency) =>
        upToDate(async (query) => {
          const [row] = await query<{ sum: string | null }>(
            "SELECT sum(captured - refunded) AS sum FROM payments WHERE currency = $1",
            [currency],
          );
          return BigInt(row?.sum ?? 0);
        }),
      fulfilments: (limit) =>
        upToDate((query) =>
          query<Fulfilment>(
            `SELECT 'outbox/' || position AS id, payment, order_id AS "order" FROM outbox
             WHERE NOT done ORDER BY position LIMIT $1`,
            [limit],
          ),
        ),
      async confirm(id) {
        await database.query("UPDATE outbox SET done = true WHERE 'outbox/' || position = $1", [
          id,
        ]);
      },
      quarantined: () =>
        upToDate((query) =>
          query<Quarantined>(`SELECT event AS "eventId", reason FROM aside ORDER BY position`),
        ),
      async close() {
        clearInterval(timer);
        await database.close();
      },
    };
  },
} satisfies Submission;

function stateOf({ disputed, authorized, currency, captured, refunded }: Row): PaymentState {
  if (disputed) return "disputed";
  if (currency !== null) return captured === refunded ? "refunded" : "captured";
  return authorized ? "authorized" : "pending";
}
