import PQueue from "p-queue";

/** Runs work when it is its turn; {@link Turns} deals them out. */
export type Turn = <T>(isTiming: boolean, work: () => Promise<T>) => Promise<T>;

/**
 * Deals out turns among all checks of several grades. Some work shares the machine, `concurrency`
 * at a time. Work that measures time comes after all that waits to share: it would otherwise let the
 * machine run dry again and again. It runs alone, or with so much as `timing` of its kind: it waits
 * nearly all the time.
 */
export class Turns {
  readonly #sharing: PQueue;
  readonly #timing: PQueue;
  #undisturbed = 0;

  constructor(concurrency: number, timing = 1) {
    this.#sharing = new PQueue({ concurrency });
    this.#timing = new PQueue({ concurrency: timing });
  }

  /** @param order who has the lower one goes first among those who wait */
  at(order: number): Turn {
    return (isTiming, work) =>
      isTiming ? this.#runUndisturbed(work) : this.#sharing.add(work, { priority: -order });
  }

  #runUndisturbed<T>(work: () => Promise<T>): Promise<T> {
    return this.#timing.add(async () => {
      // Somebody may have come between the moment of rest and the moment at which we hear of it.
      while (this.#undisturbed === 0 && this.#sharing.size + this.#sharing.pending > 0) {
        await this.#sharing.onIdle();
      }
      this.#sharing.pause();
      this.#undisturbed++;
      try {
        return await work();
      } finally {
        this.#undisturbed--;
        if (this.#undisturbed === 0) this.#sharing.start();
      }
    });
  }
}
