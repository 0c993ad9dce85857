/**
 * Remembers in Redis which events are recorded, so that most duplicates cost PostgreSQL nothing. It is
 * told after the commit, never before: what it says is true, and what it has forgotten is asked of
 * PostgreSQL.
 */
import { Redis } from "ioredis";
import type { Log } from "./log.ts";

/** The longest that a request waits for Redis, in milliseconds: it is no more than a shortcut. */
const COMMAND_MS = 50;
/** How long it is left alone after it failed, in milliseconds. */
const REST_MS = 1_000;
/** Longer than the provider goes on sending, in seconds. */
const KEPT_SECONDS = 3 * 24 * 60 * 60;

export class Seen {
  readonly #redis: Redis;
  readonly #log: Log;
  #restsUntil = 0;

  constructor(url: string, log: Log) {
    this.#log = log;
    this.#redis = new Redis(url, {
      commandTimeout: COMMAND_MS,
      connectTimeout: 1_000,
      // What could not be said at once is not said later: by then it may be about something else.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      retryStrategy: (attempt) => Math.min(50 * attempt, REST_MS),
    });
    this.#redis.on("error", (error) => log.debug({ error: error.message }, "Redis"));
  }

  /** True only for events that are recorded; false says nothing. */
  async has(eventId: string): Promise<boolean> {
    const found = await this.#ask(() => this.#redis.exists(keyOf(eventId)));
    return found === 1;
  }

  async add(eventId: string): Promise<void> {
    await this.#ask(() => this.#redis.set(keyOf(eventId), 1, "EX", KEPT_SECONDS));
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #ask<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (this.#redis.status !== "ready" || performance.now() < this.#restsUntil) return undefined;
    try {
      return await command();
    } catch (error) {
      this.#restsUntil = performance.now() + REST_MS;
      this.#log.warn({ error: String(error) }, "Redis gave no answer");
      return undefined;
    }
  }
}

function keyOf(eventId: string): string {
  return `webhooks:recorded:${eventId}`;
}
