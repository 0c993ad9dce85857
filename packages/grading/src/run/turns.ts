import PQueue from "p-queue";
import { idleMeter } from "./idle.ts";

/** Runs work when it is its turn; {@link Turns} deals them out. */
export type Turn = <T>(isTiming: boolean, work: () => Promise<T>) => Promise<T>;

export interface TurnsOptions {
  /** How many share the machine, at least. */
  readonly concurrency: number;
  /** How many share it at most, as long as it has idle cores. Default: `concurrency`. */
  readonly most?: number;
  /** How many that measure time run at the same moment. Default 1. */
  readonly timing?: number;
}

/** How often idle cores are looked for, in milliseconds: less than a check takes. */
const LOOK_MS = 500;
/** With this share of the cores idle, one more fits; with that, one less is enough. */
const [IDLE, BUSY] = [0.12, 0.03];

/**
 * Deals out turns among all checks of several grades. Some work shares the machine, `concurrency`
 * at a time, or more where checks wait so much that cores are idle. Work that measures time comes
 * after all that waits to share: it would otherwise let the machine run dry again and again. It runs
 * alone, or with so much as `timing` of its kind: it waits nearly all the time.
 */
export class Turns implements Disposable {
  readonly #sharing: PQueue;
  readonly #timing: PQueue;
  readonly #least: number;
  readonly #most: number;
  readonly #looking: NodeJS.Timeout;
  #undisturbed = 0;

  constructor({ concurrency, most = concurrency, timing = 1 }: TurnsOptions) {
    this.#least = concurrency;
    this.#most = most;
    this.#sharing = new PQueue({ concurrency });
    this.#timing = new PQueue({ concurrency: timing });
    const idle = idleMeter();
    this.#looking = setInterval(() => this.adjust(idle()), LOOK_MS).unref();
  }

  /** How many may share the machine now. */
  get concurrency(): number {
    return this.#sharing.concurrency;
  }

  /** @param idle share of the cores, 0 to 1 */
  adjust(idle: number): void {
    // Who measures time leaves cores idle, and that says nothing about those who share.
    if (this.#undisturbed > 0) return;
    const step = idle > IDLE ? 1 : idle < BUSY ? -1 : 0;
    const wanted = this.#sharing.concurrency + step;
    this.#sharing.concurrency = Math.min(Math.max(wanted, this.#least), this.#most);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
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
