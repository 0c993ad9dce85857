/**
 * One connection to one of the two databases, for as long as you hold it:
 *
 *     await using target = await connected("target", url, { statementMs: 5_000, readOnly: true });
 *
 * Tasks 2 and 4: which of what the server refuses is a mistake in a statement of the workload, and which
 * is an error of the call?
 */
import pg from "pg";
import { AdvisorError } from "./errors.ts";

export type Place = "target" | "scratch";
export type Connection = pg.Client & AsyncDisposable;

export interface Limits {
  /** The longest that one statement may take, in milliseconds. */
  readonly statementMs: number;
  /** Then the server refuses whatever would change something. */
  readonly readOnly?: boolean;
}

/** @throws AdvisorError when there is no connection to be had */
export async function connected(place: Place, url: string, limits: Limits): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: limits.statementMs,
    statement_timeout: limits.statementMs,
    // The server's limit comes first, where there still is a server.
    query_timeout: limits.statementMs + 500,
    ...(limits.readOnly ? { options: "-c default_transaction_read_only=on" } : {}),
  });
  // A connection that breaks while nobody waits for it would end the process.
  client.on("error", (error) => console.error(`${place}:`, error.message));
  try {
    await client.connect();
  } catch (error) {
    throw explained(place, error);
  }
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** The contract's error for what pg threw. 42501 and class 28 are in PostgreSQL's manual, appendix A. */
export function explained(place: Place, error: unknown): AdvisorError {
  if (error instanceof AdvisorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof pg.DatabaseError ? (error.code ?? "") : "";
  if (code === "42501" || code.startsWith("28")) {
    return new AdvisorError("NO_PERMISSION", `The ${place} refused: ${message}`, { cause: error });
  }
  const away = place === "target" ? "TARGET_UNAVAILABLE" : "SCRATCH_UNAVAILABLE";
  return new AdvisorError(away, `The ${place} gave no answer: ${message}`, { cause: error });
}
