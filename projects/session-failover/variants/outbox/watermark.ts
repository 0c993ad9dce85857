/** What this node can prove about the age of what Redis says. Times are of `performance.now()`. */

/** A number that PostgreSQL drew after it was asked for at `sentAt`. */
export interface Beat {
  readonly n: number;
  readonly sentAt: number;
  /** PostgreSQL's clock when it answered, in milliseconds since the epoch. */
  readonly clockMs: number;
}

export class Watermark {
  readonly #stalenessMs: number;
  /** Oldest first; both `n` and `sentAt` grow. */
  #beats: Beat[] = [];
  #since = performance.now();
  /** When this node last learnt from PostgreSQL about a session: Redis must not take it back. */
  readonly #seen = new Map<string, number>();

  constructor(stalenessMs: number) {
    this.#stalenessMs = stalenessMs;
  }

  observe(beat: Beat): void {
    if (beat.sentAt < this.#since) return;
    const oldest = performance.now() - this.#stalenessMs;
    this.#beats = [...this.#beats.filter(({ sentAt }) => sentAt > oldest), beat];
    for (const [hash, at] of this.#seen) if (at < oldest) this.#seen.delete(hash);
  }

  /** From now on only beats that are asked for later count. */
  distrust(): void {
    this.#since = performance.now();
    this.#beats = [];
  }

  /** To be called when PostgreSQL's answer about a session is in. */
  saw(hash: string): void {
    this.#seen.set(hash, performance.now());
  }

  /** Whether any answer of Redis could be believed now. */
  get hopeful(): boolean {
    const newest = this.#beats.at(-1);
    return newest !== undefined && performance.now() - newest.sentAt < this.#stalenessMs;
  }

  /** Whether Redis, at position `n`, is new enough to tell about a session. */
  covers(hash: string, n: number): boolean {
    const sentAt = this.#beats.findLast((beat) => beat.n <= n)?.sentAt;
    if (sentAt === undefined || performance.now() - sentAt >= this.#stalenessMs) return false;
    return sentAt >= (this.#seen.get(hash) ?? Number.NEGATIVE_INFINITY);
  }

  /** Whether that time may have come on PostgreSQL's clock. In doubt it has: PostgreSQL will tell. */
  mayBeOver(expiresAt: number): boolean {
    const newest = this.#beats.at(-1);
    return !newest || expiresAt <= newest.clockMs + (performance.now() - newest.sentAt) + 1;
  }
}
