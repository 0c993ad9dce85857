/** PostgreSQL, within the budget of a request. */
import pg from "pg";
import type { DocumentId } from "../../contract.ts";
import { LedgerError } from "./errors.ts";

export type Query = <Row extends object>(text: string, values?: unknown[]) => Promise<Row[]>;

const CONNECTIONS = 8;
/** Of the budget: the answer that there is none has to arrive in time as well. */
const SHARE = 0.85;

export class Store {
  readonly #pool: pg.Pool;
  readonly #budgetMs: number;

  /** @param budgetMs what a request may take, in milliseconds */
  constructor(url: string, budgetMs: number) {
    this.#budgetMs = budgetMs * SHARE;
    this.#pool = new pg.Pool({
      connectionString: url,
      max: CONNECTIONS,
      connectionTimeoutMillis: budgetMs,
      // Who is cut off while they hold a lock must not hold it any longer than that.
      idle_in_transaction_session_timeout: budgetMs,
    });
    // Without listeners, a connection that breaks ends the process.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Of a request that begins now. */
  budget(): AbortSignal {
    return AbortSignal.timeout(this.#budgetMs);
  }

  /** Reads what was there at one moment. @throws LedgerError `STORE_UNAVAILABLE` */
  reading<T>(signal: AbortSignal, work: (query: Query) => Promise<T>): Promise<T> {
    return this.#transaction(signal, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work);
  }

  /**
   * All of it or nothing, while nobody else does the same with this document, on whichever server.
   * @throws LedgerError `STORE_UNAVAILABLE`: whether it took effect is unknown
   */
  alone<T>(
    signal: AbortSignal,
    document: DocumentId,
    work: (query: Query) => Promise<T>,
  ): Promise<T> {
    return this.#transaction(signal, "BEGIN", async (query) => {
      await query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [document]);
      return work(query);
    });
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #transaction<T>(
    signal: AbortSignal,
    begin: string,
    work: (query: Query) => Promise<T>,
  ): Promise<T> {
    const connecting = this.#pool.connect();
    const client = await inTime(signal, connecting).catch((cause) => {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw unavailable(cause);
    });
    const query: Query = async (text, values) =>
      (await inTime(signal, client.query(text, values))).rows;
    let broken = true;
    try {
      await query(begin);
      const result = await work(query);
      await query("COMMIT");
      broken = false;
      return result;
    } catch (cause) {
      throw unavailable(cause);
    } finally {
      // Ending the connection takes back what it has begun.
      client.release(broken);
    }
  }
}

/** What `work` comes to; rejects with the signal's reason if that comes first. */
export async function inTime<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  // It may fail when nobody waits for it any more.
  work.catch(() => {});
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

export function unavailable(cause: unknown): LedgerError {
  if (cause instanceof LedgerError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError(
    "STORE_UNAVAILABLE",
    `PostgreSQL gave no answer in time (${reason}). Whether it took effect is unknown: ask again.`,
    { cause },
  );
}
