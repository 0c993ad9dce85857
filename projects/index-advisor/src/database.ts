/** Connections that give up in time. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { cancel } from "./cancel.ts";
import { explained, type Role } from "./errors.ts";

/** Some 24 days, in milliseconds: timers and PostgreSQL's limits are integers of 31 bits. */
const LONGEST_MS = 2_147_000_000;

/** When a call has to be over. */
export class Deadline {
  readonly #at: number;
  readonly #wholeMs: number;

  constructor(ms: number) {
    this.#wholeMs = Math.min(ms, LONGEST_MS);
    this.#at = performance.now() + this.#wholeMs;
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

  /** Aborted when it is over. */
  signal(): AbortSignal {
    return AbortSignal.timeout(this.leftMs());
  }
}

/** What `Symbol.asyncDispose` of a session waits for a good-bye, in milliseconds. */
const FAREWELL_MS = 500;
/** What one connection may take to be there, in milliseconds. */
const CONNECT_MS = 5_000;
/** The longest that a session that only reads waits for a lock, in milliseconds: not behind somebody's ALTER TABLE. */
const READERS_LOCK_MS = 5_000;

/** Live: one connection. */
export interface Session extends AsyncDisposable {
  readonly role: Role;
  readonly client: pg.Client;
  /** Its server process. */
  readonly pid: number;
  /** When that began, in seconds since 1970: numbers of processes are given again. */
  readonly since: string;
  /** Ends the statement that runs, on the server too. The session can be used after that. Never fails. */
  cancel(): Promise<void>;
}

export interface ConnectOptions {
  readonly deadline: Deadline;
  /** Ends the connection, and what it waits for, on both sides. */
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
    query_timeout: leftMs + FAREWELL_MS,
    keepAlive: true,
  });
  // Whoever waits for a query is told by its promise; without a listener the process would end.
  client.on("error", () => {});
  const cut = () => {
    // A server notices that nobody listens when it has something to say: after a build of an hour.
    void cancel(client);
    streamOf(client).destroy();
  };
  signal?.addEventListener("abort", cut, { once: true });
  const close = async () => {
    signal?.removeEventListener("abort", cut);
    const timer = setTimeout(() => streamOf(client).destroy(), FAREWELL_MS);
    await client.end().catch(() => {});
    clearTimeout(timer);
  };
  try {
    signal?.throwIfAborted();
    await client.connect();
    const { rows } = await client.query<{ pid: number; since: string }>(
      `SELECT pid, extract(epoch FROM backend_start)::text AS since,
         (SELECT array_agg(set_config(key, value, false)) FROM jsonb_each_text($1))
       FROM pg_stat_activity WHERE pid = pg_backend_pid()`,
      [JSON.stringify(settingsFor(leftMs, readOnly))],
    );
    const { pid, since } = rows[0] ?? { pid: 0, since: "" };
    return {
      role,
      client,
      pid,
      since,
      cancel: () => cancel(client),
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw explained(role, "let the node in", error);
  }
}

/** Set once the connection is there: whatever the address says of them (`?options=…`) counts for less. */
function settingsFor(leftMs: number, readOnly: boolean): Readonly<Record<string, string>> {
  return {
    // The server gives up first, which leaves the connection usable; the client where the server is silent.
    statement_timeout: `${leftMs}`,
    idle_in_transaction_session_timeout: `${leftMs + FAREWELL_MS}`,
    ...(readOnly && {
      default_transaction_read_only: "on",
      lock_timeout: `${Math.min(READERS_LOCK_MS, leftMs)}`,
    }),
  };
}

/** Ends a session that can't be asked any more, and waits up to a second for it to be gone. */
export async function terminate(client: pg.Client, { pid, since }: Pick<Session, "pid" | "since">) {
  await client.query(
    `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2`,
    [pid, since],
  );
}

/**
 * Names and ports tell little, where proxies are between. An advisory lock belongs to one database; one of a
 * transaction is given back where a pooler gives the connection to somebody else.
 */
export async function areSame(one: Session, other: Session): Promise<boolean> {
  const key = randomBytes(8).readBigInt64LE().toString();
  const ask = <Row extends pg.QueryResultRow>({ role, client }: Session, sql: string) =>
    asked(role, "lend a lock", () => client.query<Row>(sql));
  await ask(one, "BEGIN");
  try {
    await ask(one, `SELECT pg_advisory_xact_lock(${key})`);
    const { rows } = await ask<{ free: boolean }>(
      other,
      `SELECT pg_try_advisory_xact_lock(${key}) AS free`,
    );
    return rows[0]?.free === false;
  } finally {
    // While the other one was silent, this one may have been ended for being idle: that is not what went wrong.
    await one.client.query("ROLLBACK").catch(() => {});
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
