import { loadOverrun } from "../errors.ts";
import type { LoadResult, Loop, OpenLoop } from "./load.ts";
import { Tally } from "./tally.ts";

const MOST_IN_FLIGHT = 10_000;

export async function openLoop(
  { perSecond, ms, mostInFlight = MOST_IN_FLIGHT }: OpenLoop,
  { request, signal, mayFail, clock, fail }: Loop,
): Promise<LoadResult> {
  const tally = new Tally(mayFail);
  const count = Math.max(1, Math.round((perSecond * ms) / 1_000));
  const begin = clock.now();
  const intended = (n: number): number => begin + (n * 1_000) / perSecond;
  const answered = Promise.withResolvers<void>();
  let last = begin;
  let inFlight = 0;
  let left = count;
  const send = async (n: number): Promise<void> => {
    inFlight++;
    tally.lateness.record(clock.now() - intended(n));
    try {
      await request(n);
      last = clock.now();
      tally.latencies.record(last - intended(n));
    } catch (error) {
      last = clock.now();
      tally.refused(n, error);
    }
    inFlight--;
    if (--left === 0) answered.resolve();
  };
  for (let n = 0; n < count; ) {
    await clock.until(intended(n));
    signal.throwIfAborted();
    for (const now = clock.now(); n < count && intended(n) <= now; n++) {
      if (inFlight >= mostInFlight) throw loadOverrun(perSecond, inFlight);
      send(n).catch(fail);
    }
  }
  await answered.promise;
  return tally.result(last - begin);
}
