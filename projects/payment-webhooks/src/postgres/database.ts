/** PostgreSQL with a limit on everything: how long to wait for a connection, a lock, an answer. */
import pg from "pg";
import { unavailable } from "../errors.ts";
import type { Log } from "../log.ts";

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

export class Database {
  readonly #pool: pg.Pool;
  readonly #budgetMs: number;

  /** @param budgetMs what one call may take of a request's budget, in milliseconds */
  constructor(postgres: string, budgetMs: number, log: Log) {
    this.#budgetMs = budgetMs;
    this.#pool = new pg.Pool({
      connectionString: postgres,
      max: 10,
      connectionTimeoutMillis: budgetMs,
      statement_timeout: budgetMs,
      // A node that is cut off in the middle of a transaction must not keep its locks.
      idle_in_transaction_session_timeout: budgetMs,
    });
    const lost = (error: Error) => log.warn({ error: error.message }, "connection lost");
    // Without listeners, a connection that breaks ends the process: an idle one tells the pool, and one
    // that somebody has tells nobody but itself.
    this.#pool.on("error", lost);
    this.#pool.on("connect", (client) => client.on("error", lost));
  }

  /** One statement. @throws WebhookError `STORE_UNAVAILABLE` */
  async query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]> {
    return await this.#withClient((query) => query<Row>(text, values));
  }

  /** All that `work` does, or nothing. Resolves when it is durable. @throws WebhookError `STORE_UNAVAILABLE` */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    return await this.#withClient(async (query) => {
      await query("BEGIN");
      const result = await work(query);
      await query("COMMIT");
      return result;
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #withClient<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#budgetMs;
    const client = await this.#pool.connect().catch((cause) => {
      throw unavailable(cause);
    });
    let released = false;
    const release = (broken: boolean) => {
      if (!released) client.release(broken);
      released = true;
    };
    // Ending the connection fails what waits on it; PostgreSQL rolls back what was not committed.
    const late = setTimeout(release, Math.max(0, deadline - performance.now()), true);
    try {
      const result = await work(async (text, values) => (await client.query(text, values)).rows);
      release(false);
      return result;
    } catch (cause) {
      release(true);
      throw unavailable(cause);
    } finally {
      clearTimeout(late);
    }
  }
}
