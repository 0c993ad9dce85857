/**
 * The connection to Redis, and the circuit breaker around it: either `up`, with a connection that
 * has answered every command in time, or down, with one background probe at a time. Requests never
 * probe. A connection that failed once is thrown away with all that was sent on it; nothing is ever
 * queued or sent again by the client.
 *
 * What is in Redis, under `s:<run id of the server process>:<digest>`:
 * - nothing: ask PostgreSQL
 * - `L<token>`: somebody is asking PostgreSQL, and may fill only while the token is still there
 * - `V<json>`: a session
 *
 * Writers only ever delete. A delete that arrives late, twice or out of order does no harm; a late
 * fill finds its token gone. The run id makes everything a restarted server brings back invisible.
 */
import { Redis } from "ioredis";
import { now, within } from "./stores.ts";

const READ = `
local v = redis.call('GET', KEYS[1])
if v then return v end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false`;

const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

const LEASE_MS = 2_000;

interface Live {
  readonly redis: Redis;
  readonly prefix: string;
  /** Monotonic time since which this connection is in use. */
  readonly since: number;
}

export class RedisLink {
  readonly #url: string;
  readonly #commandMs: number;
  #live: Live | undefined;
  #probing: Redis | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;
  #firstTry: Promise<void>;

  constructor(url: string, commandMs: number) {
    this.#url = url;
    this.#commandMs = commandMs;
    this.#firstTry = this.#probe();
  }

  /** Settles when the first attempt to connect has, one way or the other. */
  get started(): Promise<void> {
    return this.#firstTry;
  }

  /** Since when Redis is in use; undefined while it isn't. */
  get upSince(): number | undefined {
    return this.#live?.since;
  }

  /** A value, or undefined; with `fill` when the caller is the one to fill the gap. */
  async read(
    digest: string,
    token: string,
  ): Promise<{ value?: string; fill?: (value: string, ttlMs: number) => Promise<void> }> {
    const live = this.#live;
    if (!live) return {};
    const key = live.prefix + digest;
    const lease = `L${token}`;
    const found = await this.#run(live, (redis) => redis.eval(READ, 1, key, lease, LEASE_MS));
    if (typeof found === "string") return found.startsWith("V") ? { value: found.slice(1) } : {};
    return {
      fill: async (value, ttlMs) => {
        if (this.#live !== live) return;
        await this.#run(live, (redis) => redis.eval(FILL, 1, key, lease, `V${value}`, ttlMs));
      },
    };
  }

  /** @returns whether Redis has confirmed that none of these are there any more */
  async forget(digests: readonly string[], ms = this.#commandMs): Promise<boolean> {
    const live = this.#live;
    if (!live || ms <= 0) return false;
    try {
      await this.#run(live, (redis) => redis.del(...digests.map((d) => live.prefix + d)), ms);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#live?.redis.disconnect();
    this.#probing?.disconnect();
    this.#live = undefined;
  }

  async #run<T>(
    live: Live,
    command: (redis: Redis) => Promise<T>,
    ms = this.#commandMs,
  ): Promise<T> {
    try {
      return await within(command(live.redis), ms, "Redis");
    } catch (error) {
      this.#drop(live, error as Error);
      throw error;
    }
  }

  #drop(live: Live, error: Error): void {
    if (this.#live !== live) return;
    this.#live = undefined;
    live.redis.disconnect();
    if (this.#closed) return;
    console.error("Redis is out of use:", error.message);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const wait = Math.min(1_000, 100 * 2 ** Math.min(this.#failures, 5));
    this.#timer = setTimeout(() => void this.#probe(), wait * (0.75 + Math.random() / 2));
  }

  async #probe(): Promise<void> {
    const redis = new Redis(this.#url, {
      lazyConnect: true,
      retryStrategy: () => null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      enableReadyCheck: false,
      connectTimeout: 500,
    });
    redis.on("error", () => undefined);
    this.#probing = redis;
    try {
      await within(redis.connect(), 500, "Redis connect");
      const info = await within(redis.info("server"), 300, "Redis INFO");
      const runId = /run_id:(\w+)/.exec(info)?.[1];
      if (!runId) throw new Error("no run_id");
      // Answers INFO, but is it loading, read-only, out of memory?
      await within(redis.set(`s:probe:${runId}`, "1", "PX", 1_000), 300, "Redis SET");
      if (this.#closed) throw new Error("closed");
      const live: Live = { redis, prefix: `s:${runId}:`, since: now() };
      redis.once("close", () => this.#drop(live, new Error("connection closed")));
      this.#live = live;
      this.#failures = 0;
    } catch {
      redis.disconnect();
      this.#failures += 1;
      this.#schedule();
    } finally {
      this.#probing = undefined;
    }
  }
}
