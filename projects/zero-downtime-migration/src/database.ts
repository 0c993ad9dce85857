/** Connections to one store, with a limit on everything that they do. */
import pg from "pg";
import { Closed, MigrationError, Unreached } from "./errors.ts";
import type { Log } from "./log.ts";

/** Writers share it; who changes the phase holds it alone. Waiters queue, so that neither side starves. */
const WORD_LOCK = 1_296_648_019;

export interface Limits {
  readonly statementMs: number;
  /** How long a transaction may stand still: who is cut off in the middle of one must not hold its locks. */
  readonly idleMs: number;
}

export interface Connection {
  query<T extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<pg.QueryResult<T>>;
}

export class Database {
  readonly #pool: pg.Pool;

  constructor(url: string, limits: Limits, log: Log) {
    this.#pool = new pg.Pool({
      connectionString: url,
      max: 10,
      connectionTimeoutMillis: limits.statementMs,
      query_timeout: limits.statementMs,
      // The server's own limits: a statement that nobody waits for any more must not write later.
      statement_timeout: limits.statementMs,
      idle_in_transaction_session_timeout: limits.idleMs,
    });
    // A connection that breaks while nobody uses it would end the process.
    this.#pool.on("error", (error) => log.warn({ error: error.message }, "connection lost"));
  }

  query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
    return this.#pool.query<T>(text, values);
  }

  /** @throws Unreached when the transaction could not begin: nothing was done */
  async transaction<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect().catch((cause: unknown) => {
      throw new Unreached("no connection", { cause });
    });
    let broken: Error | undefined;
    // It may also break while it is ours and says nothing: the next statement will tell.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on("error", onError);
    try {
      await client.query("BEGIN").catch((cause: unknown) => {
        throw new Unreached("no transaction", { cause });
      });
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      // A connection that failed is closed, which rolls back as well: asking it would take as long again.
      if (error instanceof Closed || error instanceof MigrationError) {
        await client.query("ROLLBACK").catch(onError);
      } else onError(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  }

  /**
   * A client's write: it happens while this store has the last word, or not at all.
   * @throws Closed when it hasn't
   * @throws Unreached when nobody could be asked
   */
  write<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.transaction(async (connection) => {
      let open: boolean | undefined;
      try {
        await connection.query("SELECT pg_advisory_xact_lock_shared($1)", [WORD_LOCK]);
        // A statement of its own: its snapshot must be younger than the lock.
        const { rows } = await connection.query<{ open: boolean }>("SELECT open FROM migration");
        open = rows[0]?.open;
      } catch (cause) {
        throw new Unreached("the phase can't be asked", { cause });
      }
      if (!open) throw new Closed();
      return work(connection);
    });
  }

  /** Waits until no client writes to this store, and lets none begin before it is over. */
  fence<T>(waitMs: number, work: (connection: Connection) => Promise<T>): Promise<T> {
    return this.transaction(async (connection) => {
      // Nor may anybody who is cut off in here hold them off for much longer than he would have.
      await connection.query(
        `SELECT set_config('lock_timeout', $1, true),
                set_config('idle_in_transaction_session_timeout', $2, true)`,
        [`${waitMs}ms`, `${2 * waitMs}ms`],
      );
      await connection.query("SELECT pg_advisory_xact_lock($1)", [WORD_LOCK]);
      return work(connection);
    });
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
