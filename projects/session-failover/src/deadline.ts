/** Time limits of one call, in the monotonic clock of this process. */
import { unavailable } from "./errors.ts";

export class Deadline {
  /** In `performance.now()` milliseconds. */
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }

  static in(ms: number): Deadline {
    return new Deadline(performance.now() + ms);
  }

  /** Milliseconds left, never negative. */
  get left(): number {
    return Math.max(0, this.at - performance.now());
  }
}

/**
 * Settles with `work`, or rejects with `STORE_UNAVAILABLE` when the deadline passes first. The work
 * goes on in the background then: what it still does must be safe without anyone waiting for it.
 */
export function within<T>(deadline: Deadline, work: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(unavailable("The stores gave no answer within the request's budget.")),
      deadline.left,
    );
    work.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
