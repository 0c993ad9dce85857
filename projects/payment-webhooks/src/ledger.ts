/**
 * What is known of payments, in PostgreSQL. An event is recorded with everything that follows from it in
 * one transaction: credited, given back, told to the warehouse, put aside. There is no moment at which a
 * part of it is true.
 */
import type { Fulfilment, Payment, PaymentState, Quarantined } from "../contract.ts";
import type { Content, Event } from "./event.ts";
import type { Database, Query } from "./postgres/database.ts";

interface PaymentRow {
  readonly order_id: string;
  readonly authorized: boolean;
  readonly disputed: boolean;
  readonly currency: string | null;
  /** `bigint` columns come as text: JavaScript's numbers could not hold them. */
  readonly captured: string;
  readonly refunded: string;
}

interface RefundRow {
  readonly id: string;
  readonly event_id: string;
  readonly amount: string;
  readonly currency: string;
}

export class Ledger {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Resolves when it is durable, now or before. */
  async record(content: Content, body: Uint8Array): Promise<void> {
    if (content.kind === "other") return;
    await this.#database.transaction(async (query) => {
      if (content.kind === "poison") {
        await putAside(query, content.key, content.eventId, content.reason, body);
        return;
      }
      const { event } = content;
      // Whoever records the same event at this moment waits here until the other one is done.
      const news = await query(
        "INSERT INTO events (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id",
        [event.id],
      );
      if (news.length === 0) return;
      await query("INSERT INTO payments (id, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
        event.payment,
        event.order,
      ]);
      // From here on this is the only one that changes this payment.
      await query("SELECT FROM payments WHERE id = $1 FOR UPDATE", [event.payment]);
      await apply(query, event);
    });
  }

  async payment(id: string): Promise<Payment | null> {
    const [row] = await this.#database.query<PaymentRow>("SELECT * FROM payments WHERE id = $1", [
      id,
    ]);
    if (!row) return null;
    const captured = BigInt(row.captured);
    const refunded = BigInt(row.refunded);
    return { id, order: row.order_id, state: stateOf(row), captured, refunded };
  }

  async balance(currency: string): Promise<bigint> {
    const [row] = await this.#database.query<{ sum: string }>(
      "SELECT coalesce(sum(captured - refunded), 0) AS sum FROM payments WHERE currency = $1",
      [currency],
    );
    return BigInt(row?.sum ?? 0);
  }

  async fulfilments(limit: number): Promise<Fulfilment[]> {
    return await this.#database.query<Fulfilment>(
      `SELECT id, payment, order_id AS "order" FROM fulfilments
       WHERE confirmed_at IS NULL ORDER BY position LIMIT $1`,
      [limit],
    );
  }

  async confirm(fulfilmentId: string): Promise<void> {
    await this.#database.query(
      "UPDATE fulfilments SET confirmed_at = now() WHERE id = $1 AND confirmed_at IS NULL",
      [fulfilmentId],
    );
  }

  async quarantined(): Promise<Quarantined[]> {
    return await this.#database.query<Quarantined>(
      `SELECT event_id AS "eventId", reason FROM quarantine ORDER BY position`,
    );
  }
}

async function apply(query: Query, event: Event): Promise<void> {
  switch (event.type) {
    case "payment.authorized":
      await query("UPDATE payments SET authorized = true WHERE id = $1", [event.payment]);
      return;
    case "payment.disputed":
      await query("UPDATE payments SET disputed = true WHERE id = $1", [event.payment]);
      return;
    case "payment.captured":
      await capture(query, event);
      await settleRefunds(query, event.payment);
      return;
    case "payment.refunded":
      await query(
        `INSERT INTO refunds (id, payment, event_id, amount, currency)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
        [event.subject, event.payment, event.id, event.amount, event.currency],
      );
      await settleRefunds(query, event.payment);
      return;
  }
}

/** Credits the payment, unless another notification told of the same capture. */
async function capture(query: Query, event: Event): Promise<void> {
  const credited = await query(
    `UPDATE payments SET capture = $2, captured = $3, currency = $4
     WHERE id = $1 AND capture IS NULL RETURNING id`,
    [event.payment, event.subject, event.amount, event.currency],
  );
  if (credited.length === 0) return;
  await query("INSERT INTO fulfilments (id, payment, order_id) VALUES ($1, $2, $3)", [
    `fulfil:${event.payment}`,
    event.payment,
    event.order,
  ]);
}

/** Accepts the refunds that wait, in the order of their arrival, as far as they fit into what was captured. */
async function settleRefunds(query: Query, payment: string): Promise<void> {
  const [row] = await query<PaymentRow>("SELECT * FROM payments WHERE id = $1", [payment]);
  if (!row?.currency) return;
  let left = BigInt(row.captured) - BigInt(row.refunded);
  const waiting = await query<RefundRow>(
    "SELECT * FROM refunds WHERE payment = $1 AND state = 'waiting' ORDER BY arrived",
    [payment],
  );
  for (const { id, event_id, amount, currency } of waiting) {
    const why =
      currency !== row.currency
        ? `A refund in ${currency} of a payment in ${row.currency}.`
        : BigInt(amount) > left
          ? `A refund of ${amount} where ${left} is left.`
          : undefined;
    await query("UPDATE refunds SET state = $2 WHERE id = $1", [id, why ? "refused" : "accepted"]);
    if (why) {
      await putAside(query, event_id, event_id, why);
      continue;
    }
    left -= BigInt(amount);
    await query("UPDATE payments SET refunded = refunded + $2 WHERE id = $1", [payment, amount]);
  }
}

async function putAside(
  query: Query,
  key: string,
  eventId: string | null,
  reason: string,
  body?: Uint8Array,
): Promise<void> {
  await query(
    `INSERT INTO quarantine (key, event_id, reason, body) VALUES ($1, $2, $3, $4)
     ON CONFLICT DO NOTHING`,
    [key, eventId, reason, body ?? null],
  );
}

function stateOf({ disputed, authorized, currency, captured, refunded }: PaymentRow): PaymentState {
  if (disputed) return "disputed";
  if (currency !== null) return captured === refunded ? "refunded" : "captured";
  return authorized ? "authorized" : "pending";
}
