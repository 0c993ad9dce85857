/** What the planner has said about one text, and what follows for sets that it wasn't asked about. */

/** Keys of candidates. */
type Keys = ReadonlySet<string>;

export interface Answer {
  readonly cost: number;
  /** Candidates that could be seen, and those among them that the plan has. */
  readonly seen: Keys;
  readonly used: Keys;
}

/** Plans whose costs differ by less than this share are as good as each other. */
const ALIKE = 0.001;

export class Answers {
  readonly #all: Answer[] = [];

  add(answer: Answer): void {
    this.#all.push(answer);
  }

  /**
   * More to choose from makes no plan dearer. So a set costs no more than a plan of which it has everything, and
   * no less than a set that has all of it: where the two meet, there is nothing left to ask.
   */
  about(wanted: Keys): Answer | undefined {
    let most: Answer | undefined;
    let least = Number.NEGATIVE_INFINITY;
    for (const answer of this.#all) {
      if ((most === undefined || answer.cost < most.cost) && holds(wanted, answer.used)) {
        most = answer;
      }
      if (answer.cost > least && holds(answer.seen, wanted)) least = answer.cost;
    }
    return most !== undefined && most.cost <= least * (1 + ALIKE) ? most : undefined;
  }
}

export function holds(all: Keys, some: Keys): boolean {
  for (const one of some) if (!all.has(one)) return false;
  return true;
}
