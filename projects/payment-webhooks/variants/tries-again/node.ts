/** One app node. Several run at once, each in a process of its own, on the same database. */
import type {
  Fulfilment,
  NodeConfig,
  Payment,
  PaymentState,
  Quarantined,
  WebhookNode,
  WebhookRequest,
  WebhookResponse,
} from "../../contract.ts";
import { isStorable, quarantineKey, read } from "./event.ts";
import { isGenuine } from "./signature.ts";
import { Postgres } from "./stores.ts";

export class Node implements WebhookNode {
  readonly #config: NodeConfig;
  readonly #postgres: Postgres;

  constructor(config: NodeConfig) {
    this.#config = config;
    this.#postgres = new Postgres(config.postgres, config.requestBudgetMs);
  }

  async receive({ headers, rawBody }: WebhookRequest): Promise<WebhookResponse> {
    const { signingSecrets, toleranceSeconds } = this.#config;
    if (!isGenuine(headers["webhook-signature"], rawBody, signingSecrets, toleranceSeconds)) {
      return { status: 401 };
    }
    const told = read(rawBody);
    try {
      if (told.kind === "event") await this.#record(told.event, rawBody);
      if (told.kind === "poison") await this.#putAside(told.eventId, told.reason, rawBody);
      return { status: 200 };
    } catch (error) {
      console.error("not recorded:", error);
      return { status: 503 };
    }
  }

  async #record(
    event: Extract<ReturnType<typeof read>, { kind: "event" }>["event"],
    rawBody: Uint8Array,
  ) {
    const { id, type, subject, payment, order, amount, currency } = event;
    try {
      await this.#postgres.query("SELECT record_event($1, $2, $3, $4, $5, $6, $7, $8)", [
        id,
        type,
        subject,
        payment,
        order,
        amount,
        currency,
        Buffer.from(rawBody),
      ]);
    } catch (error) {
      // Data that the database refuses (22, 23) or can't hold (54), it will refuse for ever.
      const { code, message } = error as { code?: unknown; message: string };
      if (typeof code !== "string" || !/^(22|23|54)...$/.test(code)) throw error;
      await this.#putAside(id, message, rawBody);
    }
  }

  async #putAside(eventId: string | null, reason: string, rawBody: Uint8Array): Promise<void> {
    await this.#postgres.query("SELECT put_body_aside($1, $2, $3, $4, $5)", [
      eventId !== null && isStorable(eventId) ? eventId : null,
      eventId === null ? null : JSON.stringify(eventId),
      quarantineKey(eventId, rawBody),
      reason,
      Buffer.from(rawBody),
    ]);
  }

  async payment(id: string): Promise<Payment | null> {
    if (!isStorable(id)) return null;
    const [row] = await this.#postgres.query<{
      id: string;
      order: string;
      state: PaymentState;
      captured: string;
      refunded: string;
    }>(
      `SELECT id, order_id AS "order", state, captured::text, refunded::text FROM payments WHERE id = $1`,
      [id],
    );
    return row === undefined
      ? null
      : { ...row, captured: BigInt(row.captured), refunded: BigInt(row.refunded) };
  }

  async balance(currency: string): Promise<bigint> {
    if (!isStorable(currency)) return 0n;
    const [row] = await this.#postgres.query<{ balance: string }>(
      "SELECT coalesce(sum(captured::bigint - refunded::bigint), 0)::text AS balance FROM payments WHERE currency = $1",
      [currency],
    );
    return BigInt(row?.balance ?? 0);
  }

  async fulfilments(limit: number): Promise<readonly Fulfilment[]> {
    const most = Number.isNaN(limit) ? 0 : Math.min(Math.max(0, Math.trunc(limit)), 2 ** 31);
    return this.#postgres.query<{ id: string; payment: string; order: string }>(
      `SELECT id, payment, order_id AS "order" FROM fulfilments WHERE confirmed_at IS NULL ORDER BY seq LIMIT $1`,
      [most],
    );
  }

  async confirm(fulfilmentId: string): Promise<void> {
    if (fulfilmentId.includes("\0")) return;
    await this.#postgres.query(
      "UPDATE fulfilments SET confirmed_at = now() WHERE id = $1 AND confirmed_at IS NULL",
      [fulfilmentId],
    );
  }

  async quarantined(): Promise<readonly Quarantined[]> {
    const rows = await this.#postgres.query<{ event_id: string | null; reason: string }>(
      "SELECT event_id, reason FROM quarantine ORDER BY seq",
    );
    return rows.map(({ event_id, reason }) => ({
      eventId: event_id === null ? null : (JSON.parse(event_id) as string),
      reason,
    }));
  }

  async close(): Promise<void> {
    await this.#postgres.close();
  }
}
