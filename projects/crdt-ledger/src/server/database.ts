/** PostgreSQL, as long as a signal allows. */
import pg from "pg";
import { LedgerError } from "../errors.ts";

export type Query = <Row extends object>(
  text: string | { readonly name: string; readonly text: string },
  values?: unknown[],
) => Promise<Row[]>;

/** Of the budget, so that the answer that there is none arrives in time as well. */
const SHARE = 0.9;
const CONNECTIONS = 8;
const MOMENT_MS = 1;

export class Database {
  readonly #pool: pg.Pool;
  readonly #budgetMs: number;
  #latest: { readonly until: number; readonly signal: AbortSignal } | null = null;

  /** @param budgetMs what a request may take, all in all, in milliseconds */
  constructor(url: string, budgetMs: number) {
    this.#budgetMs = budgetMs * SHARE;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: this.#budgetMs,
    });
    // Without listeners, a connection that breaks ends the process: an idle one tells the pool, and one
    // that somebody has tells nobody but itself.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Aborted when the budget of a request that begins now is spent: those of one moment have one signal. */
  budget(): AbortSignal {
    const now = performance.now();
    if (!this.#latest || now > this.#latest.until) {
      this.#latest = { until: now + MOMENT_MS, signal: AbortSignal.timeout(this.#budgetMs) };
    }
    return this.#latest.signal;
  }

  /** One statement. @throws LedgerError `STORE_UNAVAILABLE`: whether it took effect is unknown */
  query<Row extends object>(signal: AbortSignal, text: string, values?: unknown[]): Promise<Row[]> {
    return this.#withClient(signal, (query) => query<Row>(text, values));
  }

  /**
   * One statement that is asked often: each connection has it planned once.
   * @param name of this text and no other
   * @throws LedgerError `STORE_UNAVAILABLE`: whether it took effect is unknown
   */
  prepared<Row extends object>(
    signal: AbortSignal,
    name: string,
    text: string,
    values: unknown[],
  ): Promise<Row[]> {
    return this.#withClient(signal, (query) => query<Row>({ name, text }, values));
  }

  /** All that `work` reads, as it was at one moment. @throws LedgerError `STORE_UNAVAILABLE` */
  reading<T>(signal: AbortSignal, work: (query: Query) => Promise<T>): Promise<T> {
    return this.#withClient(signal, async (query) => {
      await query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const result = await work(query);
      await query("COMMIT");
      return result;
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #withClient<T>(signal: AbortSignal, work: (query: Query) => Promise<T>): Promise<T> {
    const connecting = this.#pool.connect();
    const client = await unlessAborted(signal, connecting).catch((cause) => {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw unavailable(cause);
    });
    let released = false;
    const release = (broken: boolean) => {
      if (!released) client.release(broken);
      released = true;
    };
    // Ending the connection fails what waits on it.
    const abort = () => release(true);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      const result = await work(async (text, values) => (await client.query(text, values)).rows);
      release(false);
      return result;
    } catch (cause) {
      release(true);
      throw unavailable(cause);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

/** What `work` comes to; rejects with the signal's reason if that comes first. */
export function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const over = () => signal.removeEventListener("abort", abort);
    work.then(resolve, reject).then(over);
  });
}

/** PostgreSQL gave no answer, or none in time. */
export function unavailable(cause: unknown): LedgerError {
  if (cause instanceof LedgerError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError(
    "STORE_UNAVAILABLE",
    `PostgreSQL gave no answer in time (${reason}). Whether it took effect is unknown: ask again.`,
    { cause },
  );
}
