/** PostgreSQL connections, and the one way in which anything here waits for something. */
import pg from "pg";
import { SessionError } from "./errors.ts";

/** Monotonic: the wall clock of a node decides nothing here. */
export const now = (): number => performance.now();

export class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/**
 * Rejects after `ms`. An answer that is already in the socket's buffer when the timer fires (this
 * process was stalled, not the server) still wins: setImmediate runs after the poll phase.
 */
export function within<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () =>
        setImmediate(() => reject(new TimeoutError(`${what}: no answer in ${Math.round(ms)} ms`))),
      Math.max(0, ms),
    );
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

export function openPostgres(url: string, max: number, timeoutMs: number): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: timeoutMs,
    // So that a statement nobody waits for any more doesn't run on, or sit in a lock queue.
    statement_timeout: timeoutMs,
    keepAlive: true,
  });
  // Without a listener, an idle connection that breaks ends the process.
  pool.on("error", (error) => console.error("PostgreSQL:", error.message));
  return pool;
}

type Row = Record<string, unknown>;

/** One statement, one round trip, until `deadline`. A connection that didn't answer is thrown away. */
async function attempt(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[],
  deadline: number,
): Promise<Row[]> {
  const connecting = pool.connect();
  let client: pg.PoolClient;
  try {
    client = await within(connecting, deadline - now(), "PostgreSQL connect");
  } catch (error) {
    connecting.then(
      (late) => late.release(),
      () => undefined,
    );
    throw error;
  }
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on("error", onError);
  try {
    const result = await within(
      client.query<Row>(text, [...values]),
      deadline - now(),
      "PostgreSQL query",
    );
    return result.rows;
  } catch (error) {
    broken ??= error as Error;
    throw error;
  } finally {
    client.removeListener("error", onError);
    if (broken) client.on("error", () => undefined);
    client.release(broken);
  }
}

/** @param retry only for statements that may run twice: reads */
export async function query(
  pool: pg.Pool,
  text: string,
  values: readonly unknown[],
  deadline: number,
  retry = false,
): Promise<Row[]> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(pool, text, values, deadline);
    } catch (error) {
      // A pooled connection may have died since it was last used; a fresh one may do.
      if (retry && tries < 2 && !(error instanceof TimeoutError) && deadline - now() > 20) continue;
      throw new SessionError("STORE_UNAVAILABLE", `PostgreSQL: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}
