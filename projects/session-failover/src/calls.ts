/** What every public call of a node has in common: a budget, errors with codes, an orderly end. */
import { Deadline, within } from "./deadline.ts";
import { asSessionError, unavailable } from "./errors.ts";

export class Calls {
  readonly #callMs: number;
  readonly #underWay = new Set<Promise<unknown>>();
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
    this.#underWay.add(work);
    try {
      return await work;
    } catch (error) {
      // Bad arguments stay what they are.
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      throw asSessionError(error, "A store");
    } finally {
      this.#underWay.delete(work);
    }
  }

  /** Refuses new calls and waits for those under way, no longer than one call may take. */
  async end(): Promise<void> {
    this.#closed = true;
    const all = Promise.allSettled(this.#underWay);
    await within(Deadline.in(this.#callMs), all).catch(() => {});
  }
}
