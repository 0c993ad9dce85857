/** One app node: who sent it, what it says, is it known, record it, say so. In this order. */
import type {
  Fulfilment,
  Payment,
  Quarantined,
  WebhookNode,
  WebhookRequest,
  WebhookResponse,
} from "../contract.ts";
import type { Config } from "./config.ts";
import { contentOf } from "./event.ts";
import { Ledger } from "./ledger.ts";
import { type Log, logger } from "./log.ts";
import { Database } from "./postgres/database.ts";
import { Seen } from "./seen.ts";
import { isGenuine } from "./signature.ts";

/** What of its budget a request leaves to PostgreSQL; the rest is for Redis and the way back. */
const SHARE_OF_POSTGRES = 0.6;

export class Node implements WebhookNode {
  readonly #config: Config;
  readonly #log: Log;
  readonly #database: Database;
  readonly #ledger: Ledger;
  readonly #seen: Seen;

  constructor(config: Config) {
    this.#config = config;
    this.#log = logger(config.name);
    const budgetMs = Math.round(config.requestBudgetMs * SHARE_OF_POSTGRES);
    this.#database = new Database(config.postgres, budgetMs, this.#log);
    this.#ledger = new Ledger(this.#database);
    this.#seen = new Seen(config.redis, this.#log);
  }

  async receive({ headers, rawBody }: WebhookRequest): Promise<WebhookResponse> {
    if (!isGenuine(headers, rawBody, this.#config)) {
      this.#log.warn("a delivery that the provider did not sign");
      return { status: 401 };
    }
    const content = contentOf(rawBody);
    const eventId = content.kind === "event" ? content.event.id : undefined;
    if (eventId !== undefined && (await this.#seen.has(eventId))) return { status: 200 };
    try {
      await this.#ledger.record(content, rawBody);
    } catch (error) {
      this.#log.error({ eventId, error: String(error) }, "not recorded");
      return { status: 503 };
    }
    if (eventId !== undefined) await this.#seen.add(eventId);
    this.#log.info({ eventId, kind: content.kind }, "recorded");
    return { status: 200 };
  }

  payment(id: string): Promise<Payment | null> {
    return this.#ledger.payment(id);
  }

  balance(currency: string): Promise<bigint> {
    return this.#ledger.balance(currency);
  }

  fulfilments(limit: number): Promise<readonly Fulfilment[]> {
    return this.#ledger.fulfilments(limit);
  }

  confirm(fulfilmentId: string): Promise<void> {
    return this.#ledger.confirm(fulfilmentId);
  }

  quarantined(): Promise<readonly Quarantined[]> {
    return this.#ledger.quarantined();
  }

  async close(): Promise<void> {
    this.#seen.close();
    await this.#database.close();
  }
}
