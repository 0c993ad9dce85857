/**
 * What happens in a run: who does what, and which changes reach whom, when. An event says nothing of what
 * is there when its turn comes, so each schedule that is a part of another one can be run as well.
 */
import type { Random } from "@db-katas/grading";

export type Event =
  /** Somebody does something; `pick` chooses what, of that which can be done then. */
  | {
      readonly kind: "edit";
      readonly who: number;
      readonly pick: readonly number[];
      /** Names what it adds, also in a part of the schedule. */
      readonly nth: number;
    }
  | { readonly kind: "undo"; readonly who: number }
  /** Some of what is on its way to somebody comes: each number is a place in the queue. */
  | { readonly kind: "deliver"; readonly to: number; readonly picks: readonly number[] }
  /** Somebody takes all that somebody else has, as one piece. */
  | { readonly kind: "load"; readonly to: number; readonly from: number }
  /** What has come comes again. */
  | { readonly kind: "again"; readonly to: number; readonly pick: number };

const CHOICES = 1_000_000;
/** Numbers that an edit uses, at most. */
const PICKS = 5;

export interface Shape {
  readonly people: number;
  readonly events: number;
}

/** For a while somebody hears of nothing: whole stretches of work meet at the end. */
export function drawSchedule(random: Random, { people, events }: Shape): Event[] {
  const schedule: Event[] = [];
  let offline = new Set<number>();
  const pick = () => random.int(0, CHOICES);
  while (schedule.length < events) {
    if (schedule.length % 25 === 0) {
      const away = random.int(0, people - 1);
      offline = new Set(random.shuffle([...Array(people).keys()]).slice(0, away));
    }
    const who = random.int(0, people - 1);
    const dice = random.int(1, 20);
    if (dice <= 12) {
      const nth = schedule.length;
      schedule.push({ kind: "edit", who, nth, pick: Array.from({ length: PICKS }, pick) });
    } else if (dice === 13) {
      schedule.push({ kind: "undo", who });
    } else if (!offline.has(who)) {
      const picks = Array.from({ length: random.int(1, 6) }, pick);
      if (dice <= 18) schedule.push({ kind: "deliver", to: who, picks });
      else if (dice === 19) schedule.push({ kind: "again", to: who, pick: pick() });
      else {
        const from = (who + random.int(1, people - 1)) % people;
        schedule.push({ kind: "load", to: who, from });
      }
    }
  }
  return schedule;
}
