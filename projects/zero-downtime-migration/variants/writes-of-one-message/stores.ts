import { Socket } from "node:net";
import pg from "pg";
import type { StoreName } from "../../contract.ts";

export class NoAnswer extends Error {
  readonly timedOut: boolean;
  constructor(message: string, timedOut: boolean, cause?: unknown) {
    super(message, { cause });
    this.timedOut = timedOut;
  }
}

export const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, Math.max(0, ms)));

function within<T>(work: Promise<T>, ms: number, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false;
    const timer = setTimeout(
      () => {
        over = true;
        reject(new NoAnswer("no answer in time", true));
      },
      Math.max(1, ms),
    );
    work.then(
      (v) => {
        clearTimeout(timer);
        if (over) late?.(v);
        else resolve(v);
      },
      (e) => {
        clearTimeout(timer);
        reject(e);
      },
    );
  });
}

/** Of a server that goes away, is overloaded or gave up waiting; not of a statement that is wrong. */
const transient = (code: string | undefined) =>
  code !== undefined &&
  (/^(08|53|57|58)/.test(code) || ["40P01", "40001", "55P03", "25P03", "25P04"].includes(code));

export interface Tx {
  ask<T>(text: string, values?: unknown[]): Promise<T[]>;
}

/** One store over one node's address. Nothing in here waits longer than it is told to. */
export class Store {
  readonly name: StoreName;
  readonly #pools: { client: pg.Pool; background: pg.Pool };
  readonly #sockets = new Set<Socket>();

  constructor(name: StoreName, url: string, budgetMs: number) {
    this.name = name;
    const open = (max: number) => {
      const pool = new pg.Pool({
        connectionString: url,
        max,
        connectionTimeoutMillis: Math.min(1000, budgetMs * 0.6),
        idleTimeoutMillis: 30_000,
        statement_timeout: Math.max(budgetMs, 3000),
        stream: () => {
          const socket = new Socket();
          this.#sockets.add(socket);
          socket.once("close", () => this.#sockets.delete(socket));
          return socket;
        },
      } as pg.PoolConfig);
      pool.on("error", () => {});
      pool.on("connect", (client) => client.on("error", () => {}));
      return pool;
    };
    this.#pools = { client: open(14), background: open(6) };
  }

  async #use<T>(
    kind: "client" | "background",
    ms: number,
    work: (c: pg.PoolClient, until: number) => Promise<T>,
  ): Promise<T> {
    const until = Date.now() + ms;
    let client: pg.PoolClient;
    try {
      client = await within(this.#pools[kind].connect(), ms, (late) => late.release());
    } catch (e) {
      throw e instanceof NoAnswer
        ? e
        : new NoAnswer(`${this.name}: ${(e as Error).message}`, false, e);
    }
    try {
      const result = await work(client, until);
      client.release();
      return result;
    } catch (e) {
      const code = (e as { code?: string }).code;
      const said =
        e instanceof pg.DatabaseError &&
        !/^(08|57P)/.test(code ?? "") &&
        code !== "25P03" &&
        code !== "25P04";
      client.release(!said);
      if (e instanceof NoAnswer) throw e;
      if (e instanceof pg.DatabaseError && !transient(code)) throw e;
      throw new NoAnswer(`${this.name}: ${(e as Error).message}`, code === "57014", e);
    }
  }

  ask<T>(kind: "client" | "background", text: string, values: unknown[], ms: number): Promise<T[]> {
    return this.#use(
      kind,
      ms,
      async (c, until) => (await within(c.query(text, values), until - Date.now())).rows as T[],
    );
  }

  /** Also the server ends it after `ms`, whoever is in the middle of it. */
  transaction<T>(ms: number, work: (tx: Tx) => Promise<T>): Promise<T> {
    const most = Math.round(ms);
    return this.#use("background", ms + 200, async (c, until) => {
      const ask = async <R>(text: string, values: unknown[] = []) =>
        (await within(c.query(text, values), until - Date.now())).rows as R[];
      await within(
        c.query(
          `BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${most}; SET LOCAL transaction_timeout = ${most}; SET LOCAL lock_timeout = 250`,
        ),
        until - Date.now(),
      );
      try {
        const result = await work({ ask });
        await ask("COMMIT");
        return result;
      } catch (e) {
        if (!(e instanceof NoAnswer)) await ask("ROLLBACK").catch(() => {});
        else throw new NoAnswer(e.message, true, e);
        throw e;
      }
    });
  }

  async close(ms: number): Promise<void> {
    const ends = Object.values(this.#pools).map((p) => p.end().catch(() => {}));
    await Promise.race([Promise.all(ends), sleep(ms)]);
    for (const socket of this.#sockets) socket.destroy();
  }
}
