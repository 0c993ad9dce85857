import type { ClosedLoop, LoadResult, Loop } from "./load.ts";
import { Tally } from "./tally.ts";

export async function closedLoop(
  { clients, ms }: ClosedLoop,
  { request, signal, mayFail, clock }: Loop,
): Promise<LoadResult> {
  const tally = new Tally(mayFail);
  const begin = clock.now();
  const end = begin + ms;
  let last = begin;
  // Asking the signal for each request would cost what little there is to measure.
  let over = false;
  signal.addEventListener("abort", () => {
    over = true;
  });
  const client = async (first: number): Promise<void> => {
    let from = clock.now();
    for (let n = first; from < end && !over; n += clients) {
      try {
        await request(n);
        last = clock.now();
        tally.latencies.record(last - from);
      } catch (error) {
        last = clock.now();
        tally.refused(n, error);
      }
      // One look at the clock for each request: it ends one and begins the next.
      from = last;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, first) => client(first)));
  return tally.result(last - begin);
}
