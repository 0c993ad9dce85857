/**
 * Connections to the two databases, and which of what goes wrong is an error of the call.
 *
 * A refused statement comes back as pg's own `DatabaseError`, for the caller to judge; whatever means that the
 * database is away, or lets nobody in, is thrown as the contract's `AdvisorError`.
 */
import pg from "pg";
import { AdvisorError, messageOf } from "./errors.ts";

export type Place = "target" | "scratch";

/** In every statement that is sent, so that `collect` knows them again, on whatever node. */
export const MARK = "/* index-advisor */";

/** How much longer than the server the client waits: the server's own message says more. */
const GRACE_MS = 800;

export interface Access {
  readonly place: Place;
  readonly url: string;
  /** When the call has to be over, by `Date.now()`. */
  readonly deadline: number;
  /** Then the server refuses whatever would change something. */
  readonly readOnly?: boolean;
}

export interface Row {
  readonly [column: string]: unknown;
}

export type Result = pg.QueryResult<Row>;

export class Connection implements AsyncDisposable {
  readonly #access: Access;
  readonly #client: pg.Client;
  /** What the first one was told who noticed that it is broken: nobody else need wait for it. */
  #gone: AdvisorError | undefined;

  private constructor(access: Access) {
    this.#access = access;
    this.#client = new pg.Client({
      connectionString: access.url,
      connectionTimeoutMillis: Math.max(1, Math.min(ANSWER_MS, access.deadline - Date.now())),
      ...(access.readOnly ? { options: "-c default_transaction_read_only=on" } : {}),
    });
    // Without a listener, a connection that breaks while nobody waits for it would end the process.
    this.#client.on("error", (error) => {
      this.#gone ??= explained(access.place, error);
    });
  }

  /** @throws AdvisorError when there is no connection to be had */
  static async open(access: Access): Promise<Connection> {
    const connection = new Connection(access);
    try {
      await connection.#client.connect();
    } catch (error) {
      connection.#gone = explained(access.place, error);
      await connection[Symbol.asyncDispose]();
      throw connection.#gone;
    }
    return connection;
  }

  /**
   * Asks, for at most `limitMs`.
   *
   * @throws AdvisorError when no answer came; pg.DatabaseError when the server refused the statement
   */
  async ask(sql: string, limitMs = ANSWER_MS): Promise<Row[]> {
    return (await this.result(sql, limitMs)).rows;
  }

  /** The last one, where there are several statements. */
  async result(sql: string, limitMs = ANSWER_MS): Promise<Result> {
    const last = (await this.results(sql, limitMs)).at(-1);
    if (last === undefined) throw new Error(`No result came for: ${sql}`);
    return last;
  }

  /** One for each of the statements, which semicolons divide. */
  async results(sql: string, limitMs = ANSWER_MS): Promise<readonly Result[]> {
    if (this.#gone) throw this.#gone;
    const left = this.#access.deadline - Date.now();
    // `query_timeout` is read from each query's configuration; @types/pg knows it of the client's only.
    const query = {
      text: `${MARK} ${sql}`,
      query_timeout: Math.max(1, Math.min(limitMs + GRACE_MS, left)),
    };
    try {
      // Several statements in one message have an array of results, which @types/pg doesn't know either.
      const results: Result | readonly Result[] = await this.#client.query<Row>(query);
      return Array.isArray(results) ? results : [results as Result];
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#gone ??= explained(this.#access.place, error);
      throw this.#gone;
    }
  }

  /** Ends it at once, whoever waits for an answer. */
  async abandon(): Promise<void> {
    this.#gone ??= explained(this.#access.place, new Error("this advisor was closed"));
    await this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { stream } = (this.#client as unknown as { connection: { stream: { destroy(): void } } })
      .connection;
    // A server that doesn't listen doesn't answer a goodbye either.
    const late = setTimeout(() => stream.destroy(), this.#gone ? 0 : GOODBYE_MS);
    await this.#client.end().catch(() => undefined);
    clearTimeout(late);
  }
}

const GOODBYE_MS = 500;

/** The longest that a question to the catalogue takes before the database counts as away, in milliseconds. */
export const ANSWER_MS = 3_500;

/** Whether the server understood, is still there, and said no. Classes are in PostgreSQL's manual, appendix A. */
export function isRefusal(error: unknown): error is pg.DatabaseError & { code: string } {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return false;
  const away =
    error.code.startsWith("08") || error.code.startsWith("57P") || error.code === "53300";
  return !away && error.severity !== "FATAL";
}

/** SQLSTATE of what the server refused, or `""`. */
export function refusalCode(error: unknown): string {
  return isRefusal(error) ? error.code : "";
}

export const INSUFFICIENT_PRIVILEGE = "42501";

/** Of what a call ended with: a refusal as the contract's error, anything else as it is. */
export function ending(place: Place, error: unknown): unknown {
  return isRefusal(error) ? explained(place, error) : error;
}

/** The contract's error for what pg threw. */
export function explained(place: Place, error: unknown): AdvisorError {
  if (error instanceof AdvisorError) return error;
  const code = error instanceof pg.DatabaseError ? (error.code ?? "") : "";
  if (code === INSUFFICIENT_PRIVILEGE || code.startsWith("28")) {
    return new AdvisorError("NO_PERMISSION", `The ${place} refused: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const away = place === "target" ? "TARGET_UNAVAILABLE" : "SCRATCH_UNAVAILABLE";
  return new AdvisorError(
    away,
    `The ${place} gave no usable answer: ${messageOf(error)}. Is it up, and reachable from here?`,
    { cause: error },
  );
}

export function ident(name: string): string {
  return pg.escapeIdentifier(name);
}

export function literal(text: string): string {
  return pg.escapeLiteral(text);
}
