/** Carries what is pending from the store with the last word to the other one, for as long as it lives. */
import { setTimeout as wait } from "node:timers/promises";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** Entries at a time. */
const BATCH = 200;
/** How long a carrier rests when nobody wakes it, in milliseconds: for what nodes that died left. */
const REST_MS = 500;
/** How long it rests after it has failed, in milliseconds. */
const RETRY_MS = 200;

/**
 * Any number of carriers may do this at the same time, and die at any point: entries are states with a
 * version, not changes, and what isn't known to have arrived is carried again.
 * @returns how many there were
 */
export async function carry(from: Store, to: Store, limit = BATCH): Promise<number> {
  const entries = await from.pending(limit);
  if (entries.length === 0) return 0;
  await to.apply(entries);
  await from.markCarried(entries);
  return entries.length;
}

/** Where to carry at this moment; undefined in a phase in which nothing is carried. */
export type Route = () => Promise<readonly [from: Store, to: Store] | undefined>;

export class Carrier {
  readonly #route: Route;
  readonly #log: Log;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;
  #awaken = () => {};

  constructor(route: Route, log: Log) {
    this.#route = route;
    this.#log = log;
    this.#running = this.#run();
  }

  /** Something is pending. */
  wake(): void {
    this.#awaken();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#awaken();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failed = false;
    while (!this.#ended.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        this.#awaken = resolve;
      });
      try {
        const route = await this.#route();
        while (route && (await carry(...route)) === BATCH && !this.#ended.signal.aborted);
        if (failed) this.#log.info("carrying again");
        failed = false;
      } catch (error) {
        if (!failed) this.#log.warn({ error: String(error) }, "nothing can be carried");
        failed = true;
      }
      const restMs = failed ? RETRY_MS : REST_MS;
      const rest = wait(restMs, undefined, { signal: this.#ended.signal }).catch(() => {});
      // While a store is away, each write would mean another attempt.
      await (failed ? rest : Promise.race([woken, rest]));
    }
  }
}
