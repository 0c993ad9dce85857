/**
 * What time it is on the PostgreSQL server, without asking. Expiry and write deadlines follow that
 * one clock; the clocks of app nodes don't matter.
 *
 * A reply that shows `P`, to a query sent at `s` and answered at `r` (both in `performance.now()`),
 * proves that `P - r <= offset <= P - s`. Several replies narrow the interval down.
 */

/** How fast two clocks may drift apart: far more than any healthy machine shows. */
const DRIFT = 0.001;

export class ServerClock {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #at = 0;

  observe(sentAt: number, receivedAt: number, serverMs: number): void {
    const slack = Math.max(0, receivedAt - this.#at) * DRIFT;
    const low = Math.max(this.#low - slack, serverMs - receivedAt);
    const high = Math.min(this.#high + slack, serverMs - sentAt);
    // An empty interval means that the server's clock was set: start over from this reply.
    this.#low = low <= high ? low : serverMs - receivedAt;
    this.#high = low <= high ? high : serverMs - sentAt;
    this.#at = receivedAt;
  }

  get known(): boolean {
    return Number.isFinite(this.#low);
  }

  /** The server's time in milliseconds at local time `at`: it is that or later. */
  earliest(at: number): number {
    return at + this.#low;
  }

  /** The server's time in milliseconds at local time `at`: it is that or earlier. */
  latest(at: number): number {
    return at + this.#high;
  }
}
