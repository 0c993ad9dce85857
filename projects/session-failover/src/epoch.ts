/**
 * What this node knows about the cache epoch, and how old that knowledge is.
 *
 * The epoch is one number in PostgreSQL. A write that could not be confirmed in Redis grows it in
 * the transaction of the write itself; every cached session is tagged with the epoch that was current
 * when its row was read. A node serves a cached session only when its tag is not below the epoch
 * that the node knows, and only while that knowledge is younger than the staleness bound S. So an
 * unconfirmed write takes effect everywhere within S, even on a node whose Redis kept old content.
 *
 * Age counts from before the query was sent: whatever was committed by then is in the answer.
 */
import type { Deadline } from "./deadline.ts";

/** Asks PostgreSQL; whoever answers calls {@link EpochView.observe}. */
export type RefreshEpoch = (deadline: Deadline) => Promise<unknown>;

/** From this share of S on, a read starts a refresh in the background; from the other on it waits. */
const REFRESH_FROM = 0.5;
const WAIT_FROM = 0.9;

export class EpochView {
  readonly #stalenessMs: number;
  readonly #refresh: RefreshEpoch;
  #known = 0;
  #asOf = Number.NEGATIVE_INFINITY;
  #distrustBefore = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(stalenessMs: number, refresh: RefreshEpoch) {
    this.#stalenessMs = stalenessMs;
    this.#refresh = refresh;
  }

  /** The lowest tag that may be served. */
  get known(): number {
    return this.#known;
  }

  /** PostgreSQL said so, in a snapshot taken after `sentAt` (`performance.now()`). */
  observe(epoch: number, sentAt: number): void {
    this.#known = Math.max(this.#known, epoch);
    if (sentAt >= this.#distrustBefore) this.#asOf = Math.max(this.#asOf, sentAt);
  }

  /** After trouble with Redis: ask PostgreSQL again before anything cached is served. */
  distrust(): void {
    this.#distrustBefore = performance.now();
    this.#asOf = Number.NEGATIVE_INFINITY;
  }

  /**
   * Whether the knowledge is young enough to read from Redis; refreshes it when that is due. One
   * refresh at a time, however many reads wait for it.
   * @returns false when it is too old and PostgreSQL did not answer; most of the time, an answer at once
   */
  fresh(deadline: Deadline): boolean | Promise<boolean> {
    const age = this.#age();
    return age < this.#stalenessMs * REFRESH_FROM || this.#refreshed(age, deadline);
  }

  async #refreshed(age: number, deadline: Deadline): Promise<boolean> {
    this.#refreshing ??= this.#startRefresh(deadline);
    if (age >= this.#stalenessMs * WAIT_FROM) await this.#refreshing;
    return this.#age() < this.#stalenessMs;
  }

  #age(): number {
    return performance.now() - this.#asOf;
  }

  async #startRefresh(deadline: Deadline): Promise<void> {
    try {
      await this.#refresh(deadline);
    } catch {
      // The age tells: a read that needed this answer finds it too old.
    } finally {
      this.#refreshing = undefined;
    }
  }
}
