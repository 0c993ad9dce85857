import PQueue from "p-queue";

/** Runs work when it is its turn; {@link Turns} deals them out. */
export type Turn = <T>(alone: boolean, work: () => Promise<T>) => Promise<T>;

/**
 * Deals out turns among all checks of several grades. Some work shares the machine, `concurrency`
 * at a time. Work that measures time runs alone, and after all that waits to share: it would
 * otherwise let the machine run dry again and again.
 */
export class Turns {
  readonly #sharing: PQueue;
  readonly #alone = new PQueue({ concurrency: 1 });

  constructor(concurrency: number) {
    this.#sharing = new PQueue({ concurrency });
  }

  /** @param order who has the lower one goes first among those who wait */
  at(order: number): Turn {
    return (alone, work) =>
      alone ? this.#runAlone(work) : this.#sharing.add(work, { priority: -order });
  }

  #runAlone<T>(work: () => Promise<T>): Promise<T> {
    return this.#alone.add(async () => {
      // Somebody may have come between the moment of rest and the moment at which we hear of it.
      while (this.#sharing.size + this.#sharing.pending > 0) await this.#sharing.onIdle();
      this.#sharing.pause();
      try {
        return await work();
      } finally {
        this.#sharing.start();
      }
    });
  }
}
