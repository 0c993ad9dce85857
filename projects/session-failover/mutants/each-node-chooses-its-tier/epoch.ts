/**
 * What this node knows about the cache epoch, and how old that knowledge is.
 *
 * The epoch is one number in PostgreSQL. A write that could not be confirmed in Redis grows it in
 * the transaction of the write itself; every cached session is tagged with the epoch that was current
 * when its row was read. A node serves a cached session only when its tag is not below the epoch
 * that the node knows. Whoever had trouble with Redis asks PostgreSQL for the epoch before it trusts
 * Redis again; a node whose connection is healthy has no reason to.
 *
 * Age counts from before the query was sent: whatever was committed by then is in the answer.
 */
import type { Deadline } from "./deadline.ts";

/** Asks PostgreSQL; whoever answers calls {@link EpochView.observe}. */
export type RefreshEpoch = (deadline: Deadline) => Promise<unknown>;

export class EpochView {
  readonly #refresh: RefreshEpoch;
  #known = 0;
  #asOf = Number.NEGATIVE_INFINITY;
  #distrustBefore = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(_stalenessMs: number, refresh: RefreshEpoch) {
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
   * Whether Redis may be read; asks PostgreSQL when it has to be trusted anew. One refresh at a time,
   * however many reads wait for it.
   * @returns false when PostgreSQL did not answer
   */
  async fresh(deadline: Deadline): Promise<boolean> {
    if (this.#trusted) return true;
    this.#refreshing ??= this.#startRefresh(deadline);
    await this.#refreshing;
    return this.#trusted;
  }

  get #trusted(): boolean {
    return this.#asOf > Number.NEGATIVE_INFINITY;
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
