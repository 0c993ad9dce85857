import { setImmediate, setTimeout } from "node:timers/promises";

/** Where times come from, in milliseconds since some moment. */
export interface Clock {
  now(): number;
  /** Resolves at that time; when it has passed, after others had their turn. */
  until(time: number): Promise<void>;
}

/**
 * Timers of Node are late by a millisecond or so, which is more than many an engine takes to answer.
 * The last of the way is therefore spent looking at the clock between answers.
 */
const TIMER_LATE_MS = 2;

export const monotonic: Clock = {
  now: () => performance.now(),
  async until(time) {
    const rest = time - performance.now() - TIMER_LATE_MS;
    if (rest > 0) await setTimeout(rest);
    do await setImmediate();
    while (performance.now() < time);
  },
};
