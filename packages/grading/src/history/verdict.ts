import type { Operation } from "./history.ts";

/** What every checker of histories answers. */
export interface HistoryVerdict<Kind extends string = string> {
  /** True only when the whole history was judged and nothing is wrong with it. */
  readonly valid: boolean;
  /** What it is about (an element, a key, a lock), by kind of anomaly. A valid history has none. */
  readonly anomalies: Readonly<Record<Kind, readonly string[]>>;
  /** What could not be judged within the budget. With anything here a history is never valid. */
  readonly undecided: readonly string[];
  /**
   * The few operations that prove the first anomaly, in order of invocation; empty when there is
   * none. An operation that could explain another one is never left out, so that what is shown is
   * wrong in itself, and not for want of what was cut away.
   */
  readonly counterexample: readonly Operation[];
  /** What must hold, in words: `nothing lost, nothing resurrected`. */
  readonly expected: string;
  /** One sentence for people: what was found. */
  readonly summary: string;
}

/** `45 lost, 1 resurrected`; empty for a history without anomalies. */
export function countAnomalies(verdict: HistoryVerdict): string {
  return Object.entries(verdict.anomalies)
    .filter(([, subjects]) => subjects.length > 0)
    .map(([kind, subjects]) => `${subjects.length} ${kind}`)
    .join(", ");
}

/** Collects what a checker finds; the first finding provides counterexample and sentence. */
export class Findings<Kind extends string> {
  readonly #anomalies: Record<Kind, string[]>;
  readonly #undecided: string[] = [];
  #first: { sentence: string; proof: readonly Operation[] } | undefined;

  constructor(kinds: readonly Kind[]) {
    this.#anomalies = Object.fromEntries(kinds.map((kind) => [kind, []])) as unknown as Record<
      Kind,
      string[]
    >;
  }

  /**
   * @param prove called for the first finding only: a proof may be dear
   */
  add(
    kind: Kind,
    subject: string,
    prove: () => { sentence: string; proof: readonly (Operation | undefined)[] },
  ): void {
    this.#anomalies[kind].push(subject);
    if (this.#first) return;
    const { sentence, proof } = prove();
    this.#first = {
      sentence,
      proof: [...new Set(proof.filter((operation) => operation !== undefined))].sort(
        (one, other) => one.invokedAt - other.invokedAt || one.index - other.index,
      ),
    };
  }

  undecided(subject: string): void {
    this.#undecided.push(subject);
  }

  /** @param judged how many operations there were */
  verdict(expected: string, judged: number): HistoryVerdict<Kind> {
    const valid = !this.#first && this.#undecided.length === 0;
    return {
      valid,
      anomalies: this.#anomalies,
      undecided: this.#undecided,
      counterexample: this.#first?.proof ?? [],
      expected,
      summary:
        this.#first?.sentence ??
        (valid
          ? `${judged} operations: ${expected}.`
          : `Not decided within the budget: ${this.#undecided.slice(0, 3).join(", ")}${
              this.#undecided.length > 3 ? ` and ${this.#undecided.length - 3} more` : ""
            }.`),
    };
  }
}
