/** Transactions that end in time: with what they hold, others couldn't go on either. */
import pg from "pg";
import { unavailable, unlessAborted } from "../../src/server/database.ts";

const CONNECTIONS = 8;

export class Transactions {
  readonly #pool: pg.Pool;

  /** @param budgetMs after which PostgreSQL ends what it hears nothing of, in milliseconds */
  constructor(url: string, budgetMs: number) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: budgetMs,
      idle_in_transaction_session_timeout: budgetMs,
      lock_timeout: budgetMs,
    });
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** All of it or nothing. @throws LedgerError `STORE_UNAVAILABLE`: whether it took effect is unknown */
  async run<T>(signal: AbortSignal, work: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    const connecting = this.#pool.connect();
    const client = await unlessAborted(signal, connecting).catch((cause) => {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw unavailable(cause);
    });
    let broken = true;
    try {
      await unlessAborted(signal, client.query("BEGIN"));
      const result = await unlessAborted(signal, work(client));
      await unlessAborted(signal, client.query("COMMIT"));
      broken = false;
      return result;
    } catch (cause) {
      throw unavailable(cause);
    } finally {
      // What waits on it fails with it, and PostgreSQL takes back what was begun.
      client.release(broken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
