/** Ending what a session is about, from outside of it. */
import pg from "pg";

/** What one request to cancel may take, in milliseconds. */
const CANCEL_MS = 5_000;

/** How often the server is asked to end what it does, in milliseconds: it may begin a moment after it was asked. */
const AGAIN_MS = 500;

/** What `pg` knows of a connection, and has no public name for. */
interface Known {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | object;
  /** `null` before the server has let anybody in. */
  readonly processID: number | null;
  readonly secretKey: number;
  readonly sslNegotiation: string;
}

interface Wire {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number, secretKey: number): void;
  on(event: "connect" | "sslconnect" | "end" | "error", listener: () => void): void;
  readonly stream: { destroy(): void };
}

/**
 * By the protocol (PostgreSQL's manual, 53.2.8), which wants neither a free connection nor a database that lets
 * anybody in. The server says nothing of what came of it. Never fails.
 * @returns once the server has taken note
 */
export function cancel(client: pg.Client): Promise<void> {
  const known = client as unknown as Known;
  const { host, port, ssl, sslNegotiation, processID, secretKey } = known;
  if (processID === null) return Promise.resolve();
  const options = { ssl, sslNegotiation } as pg.ConnectionConfig;
  const wire = new pg.Connection(options) as unknown as Wire;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      wire.stream.destroy();
      resolve();
    };
    const timer = setTimeout(end, CANCEL_MS);
    wire.on("error", end);
    wire.on("end", end);
    if (ssl && sslNegotiation !== "direct") wire.on("connect", () => wire.requestSsl());
    wire.on(ssl ? "sslconnect" : "connect", () => wire.cancel(processID, secretKey));
    if (host.startsWith("/")) wire.connect(`${host}/.s.PGSQL.${port}`);
    else wire.connect(port, host);
  });
}

/**
 * Runs one statement, which the server is asked to end as soon as the signal is aborted. It is asked again until
 * it has ended, and nothing that is asked comes too late and ends the next one.
 * @throws the signal's reason where it was aborted before
 */
export async function cancellable<T>(
  { cancel }: { cancel(): Promise<void> },
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  let asked = Promise.resolve();
  let again: NodeJS.Timeout | undefined;
  const ask = () => {
    asked = cancel();
    again = setTimeout(ask, AGAIN_MS);
  };
  signal?.addEventListener("abort", ask, { once: true });
  try {
    return await run();
  } finally {
    signal?.removeEventListener("abort", ask);
    clearTimeout(again);
    await asked;
  }
}
