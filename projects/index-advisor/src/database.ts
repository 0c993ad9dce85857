/** Connections that give up in time. */
import pg from "pg";
import { explained, type Role } from "./errors.ts";

/** When a call has to be over. */
export class Deadline {
  readonly #at: number;
  readonly #wholeMs: number;

  constructor(ms: number) {
    this.#at = performance.now() + ms;
    this.#wholeMs = ms;
  }

  /** What of the time is gone, 0 … 1. */
  get spent(): number {
    return Math.min(1, 1 - this.leftMs() / this.#wholeMs);
  }

  /** In milliseconds; at least 1, because PostgreSQL takes a limit of 0 for none. */
  leftMs(): number {
    return Math.max(1, Math.round(this.#at - performance.now()));
  }

  /** @param share of what is left, 0 … 1 */
  share(share: number, leastMs = 1): number {
    return Math.max(leastMs, Math.round(this.leftMs() * share));
  }

  get over(): boolean {
    return performance.now() >= this.#at;
  }
}

/** What `Symbol.asyncDispose` of a session waits for a good-bye, in milliseconds. */
const FAREWELL_MS = 500;
/** What one connection may take to be there, in milliseconds. */
const CONNECT_MS = 5_000;

/** Live: one connection. */
export interface Session extends AsyncDisposable {
  readonly role: Role;
  readonly client: pg.Client;
  /** Its server process. */
  readonly pid: number;
}

export interface ConnectOptions {
  readonly deadline: Deadline;
  /** Ends the connection, and with it what it waits for. */
  readonly signal?: AbortSignal | undefined;
  /** Every transaction is read-only unless it says otherwise. */
  readonly readOnly?: boolean;
}

/** @throws AdvisorError `TARGET_UNAVAILABLE`, `SCRATCH_UNAVAILABLE`, `NO_PERMISSION` */
export async function connect(
  role: Role,
  url: string,
  { deadline, signal, readOnly = false }: ConnectOptions,
): Promise<Session> {
  const leftMs = deadline.leftMs();
  const client = new pg.Client({
    connectionString: url,
    application_name: "index-advisor",
    connectionTimeoutMillis: Math.min(CONNECT_MS, leftMs),
    // The server gives up first, which leaves the connection usable; the client where the server is silent.
    statement_timeout: leftMs,
    query_timeout: leftMs + FAREWELL_MS,
    idle_in_transaction_session_timeout: leftMs + FAREWELL_MS,
    keepAlive: true,
    ...(readOnly && { options: "-c default_transaction_read_only=on" }),
  });
  // Whoever waits for a query is told by its promise; without a listener the process would end.
  client.on("error", () => {});
  const cut = () => streamOf(client).destroy();
  signal?.addEventListener("abort", cut, { once: true });
  const close = async () => {
    signal?.removeEventListener("abort", cut);
    const timer = setTimeout(cut, FAREWELL_MS);
    await client.end().catch(() => {});
    clearTimeout(timer);
  };
  try {
    signal?.throwIfAborted();
    await client.connect();
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const pid = rows[0]?.pid ?? 0;
    return { role, client, pid, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw explained(role, "let the node in", error);
  }
}

/** Gives an error of `pg` the code that the contract wants. */
export async function asked<T>(role: Role, what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw explained(role, what, error);
  }
}

/** `pg` has no public way to end a connection whose other side is silent: `end()` waits for its answer. */
function streamOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream;
}
