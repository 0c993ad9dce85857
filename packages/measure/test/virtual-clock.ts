import { setImmediate } from "node:timers/promises";
import type { Clock } from "../src/index.ts";

/** Time passes only when everybody waits, and then at once. */
export class VirtualClock implements Clock {
  #now = 0;
  readonly #waiting: { readonly time: number; readonly wake: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  until(time: number): Promise<void> {
    return new Promise((wake) => this.#waiting.push({ time, wake }));
  }

  /** Lets time pass until the work is done. */
  async during<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const end = () => {
      done = true;
    };
    work.then(end, end);
    for (;;) {
      await setImmediate();
      if (done) return work;
      this.#waiting.sort((one, other) => one.time - other.time);
      const next = this.#waiting.shift();
      if (next) this.#now = Math.max(this.#now, next.time);
      next?.wake();
    }
  }
}
