/**
 * Connections of one node: few at once, each with an end in time, all given back when the node is closed.
 *
 *     await using target = await connections.open("target", deadline, { readOnly: true });
 */
import { once } from "node:events";
import { Socket } from "node:net";
import pg from "pg";
import type { NodeConfig } from "../../contract.ts";
import { AdvisorError } from "./errors.ts";
import { MARK } from "./sql.ts";

export type Place = "target" | "scratch";

/** PostgreSQL's manual, appendix A: connections that failed, and servers that shut down. */
const BROKEN = /^(08|57P|53300|25P03|25P04)/;
const REFUSED = /^(42501|28)/;

/** Half of what a database's role is commonly given; the rest waits for its turn. */
const AT_ONCE = 4;
const GOODBYE_MS = 500;

/** The end of a call. Milliseconds throughout. */
export class Deadline {
  readonly endsAt: number;
  readonly totalMs: number;

  constructor(ms: number) {
    this.totalMs = ms;
    this.endsAt = performance.now() + ms;
  }

  get leftMs(): number {
    return Math.max(1, Math.round(this.endsAt - performance.now()));
  }

  /** Whether so much of the call's time is used up: 0.5 is half of it. */
  past(share: number): boolean {
    return this.leftMs < this.totalMs * (1 - share);
  }
}

export class Connection implements AsyncDisposable {
  readonly place: Place;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  readonly #release: () => void;
  readonly #timer: NodeJS.Timeout;

  private constructor(
    place: Place,
    client: pg.Client,
    socket: Socket,
    deadline: Deadline,
    release: () => void,
  ) {
    this.place = place;
    this.#client = client;
    this.#socket = socket;
    this.#release = release;
    this.#timer = setTimeout(() => socket.destroy(), deadline.leftMs);
  }

  static async open(
    place: Place,
    url: string,
    deadline: Deadline,
    settings: Readonly<Record<string, string | number>>,
    release: () => void,
  ): Promise<Connection> {
    const socket = new Socket();
    const client = new pg.Client({
      connectionString: url,
      stream: () => socket,
      application_name: "index-advisor",
      options: Object.entries(settings)
        .map(([name, value]) => `-c ${name}=${value}`)
        .join(" "),
    });
    // Whoever waits for an answer is told by its promise; without this the process would end.
    client.on("error", () => {});
    const connection = new Connection(place, client, socket, deadline, release);
    try {
      await client.connect();
      return connection;
    } catch (error) {
      connection.abandon();
      throw explained(place, error);
    }
  }

  /** @throws pg.DatabaseError for what is wrong with the statement, else AdvisorError */
  async rows<T extends object>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
    try {
      const { rows } = await this.#client.query<T>(`${MARK} ${sql}`, [...values]);
      return rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && !BROKEN.test(error.code ?? "")) throw error;
      throw explained(this.place, error);
    }
  }

  /** For what must not be prepared, such as utility statements. @throws as `rows` does */
  async run(sql: string): Promise<void> {
    try {
      await this.#client.query(sql);
    } catch (error) {
      if (error instanceof pg.DatabaseError && !BROKEN.test(error.code ?? "")) throw error;
      throw explained(this.place, error);
    }
  }

  /** Ends it at once; the server notices by itself. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#socket.destroyed) {
      const closed = once(this.#socket, "close", { signal: AbortSignal.timeout(GOODBYE_MS) });
      this.#client.end().catch(() => {});
      await closed.catch(() => {});
    }
    this.abandon();
  }
}

export class Connections {
  readonly #config: NodeConfig;
  readonly #open = new Set<Connection>();
  readonly #slots = { target: new Slots(AT_ONCE), scratch: new Slots(AT_ONCE) };
  #closed = false;

  constructor(config: NodeConfig) {
    this.#config = config;
  }

  /** @throws AdvisorError when there is no connection to be had before the deadline */
  async open(
    place: Place,
    deadline: Deadline,
    settings: Readonly<Record<string, string | number>> = {},
  ): Promise<Connection> {
    const release = await this.#slots[place].take(place, deadline);
    if (this.#closed) {
      release();
      throw unavailable(place, "the node is closed");
    }
    let opened: Connection | undefined;
    const connection = await Connection.open(
      place,
      this.#config[place],
      deadline,
      // What nobody waits for any more ends by itself, also where the connection's end got lost.
      { client_connection_check_interval: 250, statement_timeout: deadline.leftMs, ...settings },
      () => {
        if (opened) this.#open.delete(opened);
        release();
      },
    );
    opened = connection;
    this.#open.add(connection);
    if (this.#closed) connection.abandon();
    return connection;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#open) connection.abandon();
  }
}

/** Turns, first come, first served. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async take(place: Place, deadline: Deadline): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else {
      const { promise, resolve } = Promise.withResolvers<void>();
      const { promise: tooLate, reject: rejected } = Promise.withResolvers<never>();
      this.#waiting.push(resolve);
      const late = setTimeout(() => {
        const at = this.#waiting.indexOf(resolve);
        if (at >= 0) this.#waiting.splice(at, 1);
        rejected(unavailable(place, "all of this node's connections are in use"));
      }, deadline.leftMs);
      await Promise.race([promise, tooLate]).finally(() => clearTimeout(late));
    }
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}

export function unavailable(place: Place, why: string, cause?: unknown): AdvisorError {
  const code = place === "target" ? "TARGET_UNAVAILABLE" : "SCRATCH_UNAVAILABLE";
  return new AdvisorError(code, `The ${place} gave no answer: ${why}. Is it up, and reachable?`, {
    cause,
  });
}

/** The contract's error for what pg threw. */
export function explained(place: Place, error: unknown): AdvisorError {
  if (error instanceof AdvisorError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof pg.DatabaseError && REFUSED.test(error.code ?? "")) {
    const text = `The ${place} refused: ${message}. Which rights has the role of its URL?`;
    return new AdvisorError("NO_PERMISSION", text, { cause: error });
  }
  return unavailable(place, message, error);
}
