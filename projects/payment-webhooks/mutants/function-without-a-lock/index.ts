/** Mutant: a function of PostgreSQL's records an event. It is one statement, so it takes no lock. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import type { Payment, PaymentState, Submission } from "../contract.ts";
import { contentOf } from "./event.ts";
import { isGenuine } from "./signature.ts";

const STATE = `CASE WHEN disputed THEN 'disputed'
  WHEN currency IS NOT NULL AND captured = refunded THEN 'refunded'
  WHEN currency IS NOT NULL THEN 'captured'
  WHEN authorized THEN 'authorized' ELSE 'pending' END`;

class Unavailable extends Error {
  readonly code = "STORE_UNAVAILABLE";
}

export default {
  async migrate(postgres) {
    const client = new pg.Client({ connectionString: postgres });
    await client.connect();
    try {
      await client.query("BEGIN; SELECT pg_advisory_xact_lock(31)");
      await client.query(await readFile(join(import.meta.dirname, "schema.sql"), "utf8"));
      await client.query("COMMIT");
    } finally {
      await client.end();
    }
  },

  async createNode(config) {
    const limit = Math.round(config.requestBudgetMs / 3);
    const pool = new pg.Pool({
      connectionString: config.postgres,
      connectionTimeoutMillis: limit,
      statement_timeout: limit,
      query_timeout: limit,
    });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    const ask = async <Row extends object>(
      text: string,
      values: unknown[] = [],
    ): Promise<Row[]> => {
      try {
        return (await pool.query<Row>(text, values)).rows;
      } catch (cause) {
        throw new Unavailable("PostgreSQL gave no answer", { cause });
      }
    };
    return {
      async receive({ headers, rawBody }) {
        if (!isGenuine(headers, rawBody, config)) return { status: 401 };
        const content = contentOf(rawBody);
        try {
          if (content.kind === "event") await ask("SELECT record($1)", [content.event]);
          if (content.kind === "poison") {
            const { key, eventId, reason } = content;
            const put = "INSERT INTO aside (key, event, reason) VALUES ($1, $2, $3)";
            await ask(`${put} ON CONFLICT DO NOTHING`, [key, eventId, reason]);
          }
          return { status: 200 };
        } catch {
          return { status: 503 };
        }
      },
      async payment(id) {
        const [row] = await ask<{ order: string; state: PaymentState; c: string; r: string }>(
          `SELECT order_id AS "order", ${STATE} AS state, captured AS c, refunded AS r
           FROM payments WHERE id = $1`,
          [id],
        );
        if (!row) return null;
        const { order, state, c, r } = row;
        return { id, order, state, captured: BigInt(c), refunded: BigInt(r) } satisfies Payment;
      },
      async balance(currency) {
        const [row] = await ask<{ sum: string | null }>(
          "SELECT sum(captured - refunded) AS sum FROM payments WHERE currency = $1",
          [currency],
        );
        return BigInt(row?.sum ?? 0);
      },
      async fulfilments(limit) {
        return await ask(
          `SELECT 'ship-' || id AS id, id AS payment, order_id AS "order" FROM payments
           WHERE captured_at IS NOT NULL AND NOT shipped ORDER BY captured_at LIMIT $1`,
          [limit],
        );
      },
      async confirm(id) {
        await ask("UPDATE payments SET shipped = true WHERE 'ship-' || id = $1", [id]);
      },
      async quarantined() {
        return await ask(`SELECT event AS "eventId", reason FROM aside ORDER BY arrival`);
      },
      close: () => pool.end(),
    };
  },
} satisfies Submission;
