import pg from "pg";
import { explained, type Place } from "./errors.ts";

export type Connection = pg.Client & AsyncDisposable;

/** Statements with it in them are an advisor's own; `collect` leaves them out. */
export const MARK = "/* index-advisor */";

export interface Limits {
  /** The longest that one statement may take, and all of them together, in milliseconds. */
  readonly statementMs: number;
  readonly readOnly?: boolean;
}

/** What a server may be late with its own limit, in milliseconds. */
const GRACE_MS = 500;

/** @throws AdvisorError when there is none to be had */
export async function connected(place: Place, url: string, limits: Limits): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: Math.min(limits.statementMs, 10_000),
    statement_timeout: limits.statementMs,
    // The server's limit comes first, where there is still a server.
    query_timeout: limits.statementMs + GRACE_MS,
    application_name: "index-advisor",
    ...(limits.readOnly ? { options: "-c default_transaction_read_only=on" } : {}),
  });
  // A connection that breaks while nobody waits for it would end the process.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw explained(place, error);
  }
  // Whoever tidies up after a limit that was reached may speak to a server that is silent.
  const cut = setTimeout(() => streamOf(client).destroy(), limits.statementMs + GRACE_MS);
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      clearTimeout(cut);
      await Promise.race([client.end().catch(() => {}), new Promise((r) => setTimeout(r, 500))]);
    },
  });
}

/** `end()` waits for the other side. */
function streamOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
}

/** Of whatever fails within, callers see the contract's codes. */
export async function within<T>(place: Place, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(place, error);
  }
}

export const quoted = (name: string) => pg.escapeIdentifier(name);
export const literal = (text: string) => pg.escapeLiteral(text);
