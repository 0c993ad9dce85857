/** Looks for a smaller schedule that still fails, as a short story is easier to read than a long one. */
import type { Schedule } from "./schedule.ts";

/**
 * Takes events away, then clients, one thing at a time, and keeps what still fails. A run isn't the
 * same twice, so a smaller schedule that passes once may have failed another time: what comes out
 * is small, not smallest.
 * @param fails runs a candidate
 * @param budget so many runs at most
 */
export async function shrink(
  schedule: Schedule,
  fails: (candidate: Schedule) => Promise<boolean>,
  budget: number,
): Promise<Schedule> {
  let smallest = schedule;
  for (let left = budget; left > 0; ) {
    let smaller: Schedule | undefined;
    for (const candidate of candidates(smallest)) {
      if (left-- <= 0) break;
      if (!(await fails(candidate))) continue;
      smaller = candidate;
      break;
    }
    if (!smaller) break;
    smallest = smaller;
  }
  return smallest;
}

/** The next smaller ones, the most telling reduction first. */
export function candidates(schedule: Schedule): Schedule[] {
  const { events, load } = schedule;
  const fewerEvents = events.length < 2 ? [] : events.map((_, at) => events.toSpliced(at, 1));
  const fewerClients = load.clients < 2 ? [] : [Math.ceil(load.clients / 2)];
  return [
    ...fewerEvents.map((fewer) => ({ ...schedule, events: fewer })),
    ...fewerClients.map((clients) => ({ ...schedule, load: { ...load, clients } })),
  ];
}
