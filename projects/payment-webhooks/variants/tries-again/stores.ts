/** PostgreSQL within a deadline. Redis is not asked: nothing here needs it. */
import { Socket } from "node:net";
import pg from "pg";
import { StoreUnavailable } from "./errors.ts";

interface Generation {
  readonly pool: pg.Pool;
  readonly sockets: Set<Socket>;
}

class TookTooLong extends Error {}

/** Nothing is known of what became of it, or it can be tried again: all our statements are idempotent. */
function isTransient(error: unknown): boolean {
  if (error instanceof TookTooLong) return true;
  const code = (error as { code?: unknown }).code;
  if (typeof code !== "string" || !/^[0-9A-Z]{5}$/.test(code)) return true; // of the connection
  return /^(08|25P|40|53|55P03|57)/.test(code);
}

export class Postgres {
  readonly #url: string;
  readonly #budgetMs: number;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #generations = new Set<Generation>();
  #current: Generation;
  #closed = false;

  constructor(url: string, requestBudgetMs: number) {
    this.#url = url;
    // What is left is for timers that are late.
    this.#budgetMs = Math.max(50, requestBudgetMs - Math.min(200, requestBudgetMs / 5));
    this.#current = this.#open();
  }

  query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    if (this.#closed) return Promise.reject(new StoreUnavailable("This node is closed"));
    const promise = this.#query<Row>(text, values);
    this.#underWay.add(promise);
    const done = () => void this.#underWay.delete(promise);
    promise.then(done, done);
    return promise;
  }

  async #query<Row extends pg.QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
    const deadline = performance.now() + this.#budgetMs;
    for (;;) {
      const generation = this.#current;
      // Half of what there is, so that a connection that hangs leaves time for another one.
      const until = Math.min(deadline, performance.now() + Math.max(300, this.#budgetMs / 2));
      try {
        return await this.#attempt<Row>(generation, text, values, until);
      } catch (error) {
        if (!isTransient(error)) throw error;
        // Where one connection hangs the others will: don't find out one by one.
        if (error instanceof TookTooLong && generation === this.#current && !this.#closed) {
          this.#current = this.#open();
          this.#drop(generation);
        }
        if (deadline - performance.now() < 100) {
          throw new StoreUnavailable("PostgreSQL gave no answer in time", { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 25 + Math.random() * 50));
      }
    }
  }

  async #attempt<Row extends pg.QueryResultRow>(
    { pool }: Generation,
    text: string,
    values: unknown[],
    until: number,
  ): Promise<Row[]> {
    const connecting = pool.connect();
    let client: pg.PoolClient;
    try {
      client = await before(until, connecting);
    } catch (error) {
      connecting.then(
        (late) => late.release(),
        () => {},
      );
      throw error;
    }
    try {
      const { rows } = await before(until, client.query<Row>(text, values));
      client.release();
      return rows;
    } catch (error) {
      // After an answer of the server's own the connection is good; after anything else it is not.
      client.release(!(error instanceof pg.DatabaseError) || isTransient(error));
      throw error;
    }
  }

  #open(): Generation {
    const sockets = new Set<Socket>();
    const ms = Math.ceil(this.#budgetMs);
    const pool = new pg.Pool({
      connectionString: this.#url,
      max: 15,
      connectionTimeoutMillis: ms,
      keepAlive: true,
      // What we no longer wait for ends on the server as well, and holds no lock.
      options:
        `-c statement_timeout=${ms} -c lock_timeout=${ms} -c transaction_timeout=${ms * 2}` +
        ` -c idle_in_transaction_session_timeout=${ms} -c synchronous_commit=on`,
      stream: () => {
        const socket = new Socket();
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
        return socket;
      },
    });
    // Without listeners a connection that breaks ends the process, idle or in use.
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    const generation = { pool, sockets };
    this.#generations.add(generation);
    return generation;
  }

  /** Lets those who still use it finish: each of them has a deadline. */
  #drop(generation: Generation): void {
    const destroy = () => {
      for (const socket of generation.sockets) socket.destroy();
      this.#generations.delete(generation);
    };
    generation.pool.end().catch(() => {});
    setTimeout(destroy, this.#budgetMs).unref();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled(this.#underWay);
    const ended = Promise.allSettled(
      [...this.#generations].map(async ({ pool }) => {
        if (!pool.ending) await pool.end();
      }),
    );
    await before(performance.now() + 100, ended).catch(() => {});
    for (const { sockets } of this.#generations) for (const socket of sockets) socket.destroy();
  }
}

async function before<T>(until: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      promise,
      new Promise<never>((_, reject) => {
        timer = setTimeout(reject, Math.max(0, until - performance.now()), new TookTooLong());
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
