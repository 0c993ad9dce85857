/**
 * Session data in Redis under the hash of the session's id, together with its version. Best effort in
 * every respect: what is missing, late or older costs a longer read from PostgreSQL, nothing else.
 */
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from "cockatiel";
import { Redis } from "ioredis";
import type { SessionData } from "../../contract.ts";
import type { Timing } from "../../src/config.ts";

export interface Payload {
  readonly version: number;
  readonly data: SessionData;
}

/** How long Redis is left alone after it failed three times in a row, in milliseconds. */
const PAUSE_MS = 500;

export class Payloads {
  readonly #redis: Redis;
  readonly #keepMs: number;
  readonly #breaker = circuitBreaker(handleAll, {
    halfOpenAfter: PAUSE_MS,
    breaker: new ConsecutiveBreaker(3),
  });

  constructor(url: string, timing: Timing) {
    this.#keepMs = timing.cacheMs;
    this.#redis = new Redis(url, {
      connectTimeout: timing.redisConnectMs,
      commandTimeout: timing.redisCommandMs,
      retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 4), 500) * Math.random(),
      maxRetriesPerRequest: 0,
      maxLoadingRetryTime: PAUSE_MS,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    });
    // Errors reach the commands that fail; without a listener ioredis prints them.
    this.#redis.on("error", () => {});
  }

  async get(hash: Buffer): Promise<Payload | undefined> {
    const text = await this.#attempt(() => this.#redis.get(keyOf(hash)));
    return text ? (JSON.parse(text) as Payload) : undefined;
  }

  async put(hash: Buffer, { version, data }: Payload): Promise<void> {
    const text = JSON.stringify({ version, data });
    await this.#attempt(() => this.#redis.set(keyOf(hash), text, "PX", this.#keepMs));
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #attempt<T>(command: () => Promise<T>): Promise<T | undefined> {
    // One request probes a Redis that failed; the others do without rather than wait for it.
    if (this.#breaker.state === CircuitState.HalfOpen) return undefined;
    try {
      return await this.#breaker.execute(command);
    } catch {
      return undefined;
    }
  }
}

function keyOf(hash: Buffer): string {
  return `payload:${hash.toString("base64url")}`;
}
