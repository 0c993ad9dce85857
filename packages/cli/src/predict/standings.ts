import type { HistoryEntry } from "@db-katas/measure";
import type { Grade, GradedCheck } from "./grades.ts";
import type { Forecast, Prediction, Range } from "./predictions.ts";

/** What was measured of something that can be predicted. */
export interface Measurement {
  /** Of the first measurement: who predicts from now on is too late. */
  readonly firstAt: string;
  /** Absent while it is undecided. */
  readonly outcome?: Outcome;
}

export interface Outcome {
  readonly at: string;
  /** For people: `failed`, `held`. */
  readonly said: string;
  /** Whether it came true. */
  readonly came: boolean;
  /** Of a claim: its first figure, in base units. */
  readonly figure?: number;
  /** For people, with its interval. */
  readonly figureSaid?: string;
}

/** A prediction beside what came of it. */
export type Standing = {
  /** How many more there are that came after the first measurement: they don't count. */
  readonly late: number;
  readonly measurement?: Measurement;
} & (
  | { readonly about: "check" | "claim"; readonly id: string; readonly prediction?: Forecast }
  | { readonly about: "figure"; readonly id: string; readonly prediction?: Range }
);

/** What became of each check at the first grade that put an answer to the test. */
export function measuredChecks(grades: readonly Grade[]): Map<string, Measurement> {
  const first = new Map<string, Measurement>();
  for (const { at, checks } of grades) {
    for (const { id, verdict } of checks) {
      if (first.has(id)) continue;
      const outcome = { at, said: verdict, came: hasPassed(verdict) };
      first.set(id, { firstAt: at, outcome });
    }
  }
  return first;
}

export function hasPassed(verdict: GradedCheck["verdict"]): boolean {
  return verdict === "passed";
}

/** What is read of a line in the history of `kata falsify`. */
type Found = Pick<HistoryEntry, "at" | "id" | "verdict"> & {
  readonly comparisons: readonly Pick<HistoryEntry["comparisons"][number], "value" | "said">[];
};

/** What became of each claim: it counts as measured with its first figure, decided or not. */
export function measuredClaims(history: readonly Found[]): Map<string, Measurement> {
  const found = new Map<string, Measurement>();
  for (const [id, findings] of Map.groupBy(history, (finding) => finding.id)) {
    const firstAt = findings[0]?.at ?? "";
    const decided = findings.find(({ verdict }) => verdict === "held" || verdict === "falsified");
    if (!decided) {
      found.set(id, { firstAt });
      continue;
    }
    const [first] = decided.comparisons;
    // Where one side was zero there is a difference: no answer to how many times one is the other.
    const isFigure = first && !Number.isNaN(first.value) && !first.said.startsWith("difference");
    const outcome = {
      at: decided.at,
      said: decided.verdict,
      came: decided.verdict === "held",
      ...(isFigure && { figure: first.value, figureSaid: first.said }),
    };
    found.set(id, { firstAt, outcome });
  }
  return found;
}

/** What a prediction is about. */
export interface Subject {
  readonly about: Prediction["about"];
  readonly id: string;
}

/**
 * What was predicted, each thing once, and of `others` what was not: the last that somebody said before
 * it was first measured counts, and nothing that was said later.
 */
export function standingsOf(
  predictions: readonly Prediction[],
  checks: ReadonlyMap<string, Measurement>,
  claims: ReadonlyMap<string, Measurement>,
  others: readonly Subject[] = [],
): Standing[] {
  const subjects = Map.groupBy([...others, ...predictions], ({ about, id }) => `${about} ${id}`);
  return [...subjects.values()].map((all) => {
    const { about, id } = all[0] as Subject;
    const measurement = (about === "check" ? checks : claims).get(id);
    const said = predictions.filter((each) => each.about === about && each.id === id);
    const inTime = said.filter(({ at }) => !measurement || at < measurement.firstAt);
    const prediction = inTime.at(-1);
    return {
      about,
      id,
      late: said.length - inTime.length,
      ...(prediction && { prediction }),
      ...(measurement && { measurement }),
    } as Standing;
  });
}
