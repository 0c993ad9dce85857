/** Variant: a table of facts that only grows, and answers that are computed from it. */
import pg from "pg";
import type { Submission } from "../../contract.ts";
import { contentOf } from "../../src/event.ts";
import { logger } from "../../src/log.ts";
import { Database } from "../../src/postgres/database.ts";
import { isGenuine } from "../../src/signature.ts";
import { accountOf, type Fact } from "./facts.ts";

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS facts (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL,
    subject text NOT NULL,
    event text NOT NULL,
    payment text NOT NULL,
    "order" text NOT NULL,
    amount text NOT NULL,
    currency text NOT NULL,
    UNIQUE (type, subject)
  );
  CREATE INDEX IF NOT EXISTS facts_of_payments ON facts (payment, position);
  CREATE TABLE IF NOT EXISTS shipped (payment text PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS poison (
    position bigint GENERATED ALWAYS AS IDENTITY,
    key text PRIMARY KEY,
    event text,
    reason text NOT NULL
  );`;

const PREFIX = "shipment of ";

export default {
  async migrate(postgres) {
    const client = new pg.Client({ connectionString: postgres });
    await client.connect();
    try {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(32); ${SCHEMA} COMMIT;`);
    } finally {
      await client.end();
    }
  },

  async createNode(config) {
    const log = logger(config.name);
    const database = new Database(config.postgres, Math.round(config.requestBudgetMs / 2), log);
    const factsOf = (where: string, ...values: unknown[]) =>
      database.query<Fact>(`SELECT * FROM facts WHERE ${where} ORDER BY position`, values);
    const accountsOf = (facts: readonly Fact[]) =>
      [...Map.groupBy(facts, ({ payment }) => payment)].map(([id, own]) => accountOf(id, own));
    return {
      async receive({ headers, rawBody }) {
        if (!isGenuine(headers, rawBody, config)) return { status: 401 };
        const content = contentOf(rawBody);
        try {
          if (content.kind === "event") {
            const { id, type, subject, payment, order, amount, currency } = content.event;
            await database.transaction(async (query) => {
              // Facts of one payment become visible in the order of their positions.
              await query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [payment]);
              await query(
                `INSERT INTO facts (event, type, subject, payment, "order", amount, currency)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
                [id, type, subject, payment, order, amount, currency],
              );
            });
          }
          if (content.kind === "poison") {
            await database.query(
              "INSERT INTO poison (key, event, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
              [content.key, content.eventId, content.reason],
            );
          }
          return { status: 200 };
        } catch {
          return { status: 503 };
        }
      },
      async payment(id) {
        const facts = await factsOf("payment = $1", id);
        if (facts.length === 0) return null;
        const { order, state, captured, refunded } = accountOf(id, facts);
        return { id, order, state, captured, refunded };
      },
      async balance(currency) {
        return accountsOf(await factsOf("true"))
          .filter((account) => account.currency === currency)
          .reduce((sum, { captured, refunded }) => sum + captured - refunded, 0n);
      },
      async fulfilments(limit) {
        const open = await factsOf(
          `type = 'payment.captured' AND NOT EXISTS
             (SELECT FROM shipped WHERE shipped.payment = facts.payment)`,
        );
        return open
          .slice(0, limit)
          .map(({ payment, order }) => ({ id: `${PREFIX}${payment}`, payment, order }));
      },
      async confirm(id) {
        if (!id.startsWith(PREFIX)) {
          await database.query("SELECT");
          return;
        }
        await database.query("INSERT INTO shipped VALUES ($1) ON CONFLICT DO NOTHING", [
          id.slice(PREFIX.length),
        ]);
      },
      async quarantined() {
        const poison = await database.query<{ event: string | null; reason: string }>(
          "SELECT event, reason FROM poison ORDER BY position",
        );
        const refused = accountsOf(await factsOf("true")).flatMap((account) => account.refused);
        return [
          ...poison.map(({ event, reason }) => ({ eventId: event, reason })),
          ...refused.map((eventId) => ({ eventId, reason: "The payment can't bear this refund." })),
        ];
      },
      close: () => database.close(),
    };
  },
} satisfies Submission;
