/** A pool of PostgreSQL connections in which nothing waits for longer than a call may take. */
import pg from "pg";
import type { Deadline } from "../deadline.ts";
import { asSessionError, unavailable } from "../errors.ts";
import type { Log } from "../log.ts";

export interface Statement {
  /** Prepared once per connection under this name. */
  readonly name: string;
  readonly text: string;
  /** Running it twice has the effect and the answer of running it once. */
  readonly repeatable: boolean;
}

const POOL_SIZE = 10;
/** How long an unused connection is kept, in milliseconds. */
const IDLE_MS = 60_000;
/** What the server says when it did not, or no longer does, run statements: it is (re)starting. */
const RESTARTING = new Set(["57P01", "57P02", "57P03"]);

export class Database {
  readonly pool: pg.Pool;

  constructor(url: string, callMs: number, _log: Log) {
    this.pool = new pg.Pool({
      connectionString: url,
      max: POOL_SIZE,
      idleTimeoutMillis: IDLE_MS,
      connectionTimeoutMillis: callMs,
      // The server gives up on a statement by itself, the client on a server that is silent.
      statement_timeout: callMs,
      query_timeout: callMs,
      keepAlive: true,
      application_name: "session-failover",
    });
  }

  /**
   * Runs a statement and returns its rows. A repeatable one gets a second try when its connection
   * turns out to be dead, as pooled connections are after a restart of the server.
   * @throws STORE_UNAVAILABLE, after which an effect of the statement is unknown
   */
  async run<Row extends pg.QueryResultRow>(
    statement: Statement,
    values: readonly unknown[],
    deadline: Deadline,
  ): Promise<Row[]> {
    try {
      return await this.#once<Row>(statement, values, deadline);
    } catch (error) {
      if (!(statement.repeatable && isConnectionLoss(error) && deadline.left > 0)) {
        throw asSessionError(error, "PostgreSQL");
      }
    }
    try {
      return await this.#once<Row>(statement, values, deadline);
    } catch (error) {
      throw asSessionError(error, "PostgreSQL");
    }
  }

  async close(): Promise<void> {
    if (!this.pool.ending) await this.pool.end();
  }

  async #once<Row extends pg.QueryResultRow>(
    { name, text }: Statement,
    values: readonly unknown[],
    deadline: Deadline,
  ): Promise<Row[]> {
    const left = Math.floor(deadline.left);
    if (left < 1) throw unavailable("No time is left to ask PostgreSQL.");
    // The pool drops a connection whose statement failed, a silent one included.
    const query = { name, text, values: [...values], query_timeout: left };
    const { rows } = await this.pool.query<Row>(query);
    return rows;
  }
}

/** Errors without an SQLSTATE come from the socket; a time-out leaves no time for a second try. */
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error) || error.message === "Query read timeout") return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (code === "STORE_UNAVAILABLE") return false;
  const isSqlState = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  return !isSqlState || RESTARTING.has(code);
}
