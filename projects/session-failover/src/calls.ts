/** What every public call of a node has in common: a budget, errors with codes, an orderly end. */
import { Deadline, within } from "./deadline.ts";
import { asSessionError, unavailable } from "./errors.ts";

export class Calls {
  readonly #callMs: number;
  // A set of the promises would cost a read half as much again: each needs a hash of its own.
  #underWay = 0;
  #drained: () => void = () => {};
  #closed = false;

  constructor(callMs: number) {
    this.#callMs = callMs;
  }

  /** Runs one call. @throws STORE_UNAVAILABLE when it takes longer than the budget allows */
  run<T>(work: (deadline: Deadline) => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("This node is closed."));
    const deadline = Deadline.in(this.#callMs);
    return within(deadline, this.track(work(deadline)));
  }

  /** Something that goes on when its caller no longer waits for it, but that `end` waits for. */
  async track<T>(work: Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await work;
    } catch (error) {
      // Bad arguments stay what they are.
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      throw asSessionError(error, "A store");
    } finally {
      if (--this.#underWay === 0) this.#drained();
    }
  }

  /** Refuses new calls and waits for those under way, no longer than one call may take. */
  async end(): Promise<void> {
    this.#closed = true;
    const drained = new Promise<void>((resolve) => {
      this.#drained = resolve;
      if (this.#underWay === 0) resolve();
    });
    await within(Deadline.in(this.#callMs), drained).catch(() => {});
  }
}
