/** Applies events one at a time: whoever calls this has the lock. */
import { contentOf, type Event } from "../../src/event.ts";
import type { Query } from "../../src/postgres/database.ts";

/** How many are applied in one transaction: few enough for anybody's budget. */
const BATCH = 20;

interface Delivery {
  readonly position: string;
  readonly body: Uint8Array;
}

/** @returns whether there may be more */
export async function applyBatch(query: Query): Promise<boolean> {
  await query("SELECT pg_advisory_xact_lock(33)");
  const deliveries = await query<Delivery>(
    "SELECT position, body FROM inbox WHERE NOT applied ORDER BY position LIMIT $1",
    [BATCH],
  );
  for (const { body } of deliveries) {
    const content = contentOf(body);
    if (content.kind === "poison") {
      await aside(query, content.key, content.eventId, content.reason);
    }
    if (content.kind === "event") await apply(query, content.event);
  }
  const positions = deliveries.map(({ position }) => position);
  await query("UPDATE inbox SET applied = true WHERE position = ANY($1)", [positions]);
  return deliveries.length === BATCH;
}

async function apply(query: Query, event: Event): Promise<void> {
  const { id, type, subject, payment, order, amount, currency } = event;
  const fresh = await query(
    "INSERT INTO happened (type, subject) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING type",
    [type, subject],
  );
  if (fresh.length === 0) return;
  await query("INSERT INTO payments (id, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
    payment,
    order,
  ]);
  if (type === "payment.authorized" || type === "payment.disputed") {
    const column = type === "payment.authorized" ? "authorized" : "disputed";
    await query(`UPDATE payments SET ${column} = true WHERE id = $1`, [payment]);
  }
  if (type === "payment.captured") {
    await query("UPDATE payments SET captured = $2, currency = $3 WHERE id = $1", [
      payment,
      amount,
      currency,
    ]);
    await query("INSERT INTO outbox (payment, order_id) VALUES ($1, $2)", [payment, order]);
  }
  if (type === "payment.refunded") {
    await query("INSERT INTO waiting (event, payment, amount, currency) VALUES ($1, $2, $3, $4)", [
      id,
      payment,
      amount,
      currency,
    ]);
  }
  await settle(query, payment);
}

async function settle(query: Query, payment: string): Promise<void> {
  const refunds = await query<{ event: string; amount: string; currency: string }>(
    `SELECT w.* FROM waiting w JOIN payments p ON p.id = w.payment
     WHERE p.id = $1 AND p.currency IS NOT NULL ORDER BY w.position`,
    [payment],
  );
  for (const { event, amount, currency } of refunds) {
    const fits = await query(
      `UPDATE payments SET refunded = refunded + $2
       WHERE id = $1 AND currency = $3 AND refunded + $2 <= captured RETURNING id`,
      [payment, amount, currency],
    );
    if (fits.length === 0) await aside(query, event, event, "a refund that doesn't fit");
    await query("DELETE FROM waiting WHERE event = $1", [event]);
  }
}

async function aside(query: Query, key: string, event: string | null, reason: string) {
  await query("INSERT INTO aside (key, event, reason) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
    key,
    event,
    reason,
  ]);
}
