/**
 * The connection to Redis, as something that is either up or down, and never makes anybody wait.
 *
 * Up: commands go out, each with a time limit. A closed connection, or several failures in a row,
 * take it down: the connection is thrown away with everything that was in flight, and commands are
 * refused at once. While it is down there is one attempt at a time to bring it up again, with growing,
 * jittered pauses: connect, ask which server this is, and prove that it takes writes. Requests never
 * serve as probes, so a dead Redis costs them nothing, and there is no stampede when it returns.
 *
 * ioredis's own reconnecting, queueing and resending are off: a command that was given up must not be
 * delivered later.
 */
import { ConsecutiveBreaker, ExponentialBackoff, handleAll, retry } from "cockatiel";
import { Redis } from "ioredis";
import type { Timing } from "../config.ts";
import type { Log } from "../log.ts";
import type { Values } from "./read-batch.ts";
import type { Script } from "./scripts.ts";

/** How many commands in a row must fail until the connection is given up. */
const FAILURES_IN_A_ROW = 3;
/** Pauses between attempts to come up again, in milliseconds; the limit bounds the time to fail back. */
const BACKOFF = { initialDelay: 20, maxDelay: 500 };

export interface Connection {
  readonly client: Redis;
  /** Which server process this is. It changes with every start, so an old content never counts. */
  readonly runId: string;
}

export class RedisDown extends Error {
  override readonly name = "RedisDown";
}

export class RedisLink {
  readonly #url: string;
  readonly #timing: Timing;
  readonly #onLost: () => void;
  readonly #log: Log;
  readonly #closing = new AbortController();
  #breaker = new ConsecutiveBreaker(FAILURES_IN_A_ROW);
  #connection: Connection | undefined;

  /** `onLost` is called whenever the link goes down. */
  constructor(url: string, timing: Timing, onLost: () => void, log: Log) {
    this.#url = url;
    this.#timing = timing;
    this.#onLost = onLost;
    this.#log = log;
  }

  /** The connection when the link is up. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Makes a first attempt to come up; if it fails, further ones follow in the background. */
  async open(): Promise<void> {
    try {
      this.#up(await this.#connect());
    } catch (error) {
      this.#log("redis.unreachable", { error });
      this.#comeUp();
    }
  }

  /**
   * Gets several keys at once. For the breaker a failure counts once for each of them, as if each had
   * had a command of its own.
   * @throws RedisDown when the link is down, or the server was too slow or refused
   */
  values(connection: Connection, keys: string[]): Promise<Values> {
    return this.#ask(connection, keys.length, (client) => client.mget(keys));
  }

  /**
   * Runs a script.
   * @throws RedisDown when it can't be known whether it ran: the link is down, or the server was too
   * slow or refused
   */
  run(
    connection: Connection,
    { sha1, lua }: Script,
    keys: string | readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    const all = [keys].flat();
    const rest = [all.length, ...all, ...args] as const;
    return this.#ask(connection, 1, (client) =>
      client.evalsha(sha1, ...rest).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return client.eval(lua, ...rest);
      }),
    );
  }

  close(): void {
    this.#closing.abort();
    this.#connection?.client.disconnect();
    this.#connection = undefined;
  }

  async #ask<T>(
    { client }: Connection,
    weight: number,
    command: (client: Redis) => Promise<T>,
  ): Promise<T> {
    if (client !== this.#connection?.client) throw new RedisDown("Redis is down.");
    try {
      const reply = await command(client);
      this.#breaker.success();
      return reply;
    } catch (error) {
      this.#log("redis.command_failed", { error });
      for (let failure = 0; failure < weight; failure++) {
        if (client === this.#connection?.client && this.#breaker.failure()) this.#down("failing");
      }
      throw new RedisDown("Redis did not confirm a command.", { cause: error });
    }
  }

  #up(connection: Connection): void {
    if (this.#closing.signal.aborted) {
      connection.client.disconnect();
      return;
    }
    this.#breaker = new ConsecutiveBreaker(FAILURES_IN_A_ROW);
    this.#connection = connection;
    connection.client.once("close", () => {
      if (this.#connection === connection) this.#down("closed");
    });
    this.#log("redis.up", { runId: connection.runId });
    // It may have closed before anyone listened.
    if (connection.client.status !== "ready") this.#down("closed");
  }

  #down(reason: string): void {
    const lost = this.#connection;
    this.#connection = undefined;
    lost?.client.disconnect();
    this.#log("redis.down", { reason });
    this.#onLost();
    this.#comeUp();
  }

  #comeUp(): void {
    const again = retry(handleAll, {
      maxAttempts: Number.POSITIVE_INFINITY,
      backoff: new ExponentialBackoff(BACKOFF),
    });
    again
      .dangerouslyUnref()
      .execute(() => this.#connect(), this.#closing.signal)
      .then((connection) => this.#up(connection))
      .catch(() => {}); // closed meanwhile
  }

  async #connect(): Promise<Connection> {
    const client = new Redis(this.#url, {
      lazyConnect: true,
      protocol: 2,
      connectTimeout: this.#timing.redisConnectMs,
      // A server that hangs doesn't close its end either: ioredis would wait 2 s for it, and connect() too.
      disconnectTimeout: this.#timing.redisCommandMs,
      commandTimeout: this.#timing.redisCommandMs,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    // Errors reach those whose commands fail; without a listener ioredis prints them.
    client.on("error", () => {});
    try {
      await client.connect();
      const runId = /^run_id:(\w+)/m.exec(await client.info("server"))?.[1];
      if (!runId) throw new RedisDown("Redis does not tell its run_id.");
      // A replica, a server that still loads its data, or a full one refuses this.
      await client.set(`session:${runId}:probe`, "1", "PX", 1_000);
      return { client, runId };
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}
