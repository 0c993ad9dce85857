/** What a person got wrong: checks that failed, predictions that didn't come true. */
import { isWrong } from "../predict/graded.ts";
import type { Grade, GradedCheck } from "../predict/grades.ts";
import { percent } from "../predict/percent.ts";
import type { Question } from "../predict/questions.ts";
import { hasPassed, type Standing } from "../predict/standings.ts";
import { many, saidOf } from "../predict/text.ts";

/** One thing to think about. */
export interface Item {
  /** `check redis-killed`, the same from run to run. */
  readonly key: string;
  /** For a heading. */
  readonly title: string;
  /** A sentence each. */
  readonly facts: readonly string[];
  /** What the grader said when it failed, first and last if they differ. */
  readonly saw: readonly string[];
  /** How sure the person was of the contrary, from 0.5 to 1; 0 where nothing wrong was predicted. */
  readonly sureness: number;
}

/** The surest wrong first; then what failed without a wrong prediction, in the order of the rubric. */
export function itemsOf(
  questions: readonly Question[],
  standings: readonly Standing[],
  grades: readonly Grade[],
): Item[] {
  const standingOf = (about: Standing["about"], id: string) =>
    standings.find((each) => each.about === about && each.id === id);
  const items = questions.flatMap(({ about, id, asks }): Item[] => {
    if (about === "check") return checkItem(id, asks, standingOf("check", id), grades);
    if (about === "figure") return [];
    return claimItem(id, asks, [standingOf("claim", id), standingOf("figure", id)]);
  });
  // Stable: equals stay in the order of the rubric.
  return items.sort((one, other) => other.sureness - one.sureness);
}

function checkItem(
  id: string,
  title: string,
  standing: Standing | undefined,
  grades: readonly Grade[],
): Item[] {
  const runs = grades.flatMap(({ at, checks }) =>
    checks.filter((check) => check.id === id).map((check) => ({ ...check, at })),
  );
  const failures = runs.filter(({ verdict }) => !hasPassed(verdict));
  const sureness = surenessOf(standing);
  if (failures.length === 0 && sureness === 0) return [];
  const facts = [...predictedOf(standing), ...ranOf(runs)];
  return [{ key: `check ${id}`, title: `${id}: ${title}`, facts, saw: sawIn(failures), sureness }];
}

function ranOf(runs: readonly (GradedCheck & { readonly at: string })[]): string[] {
  const failed = runs.filter(({ verdict }) => !hasPassed(verdict)).length;
  if (failed === 0) return ["It passed."];
  const first = runs.findIndex(({ verdict }) => hasPassed(verdict));
  const verdicts = [
    ...new Set(runs.map(({ verdict }) => verdict).filter((each) => !hasPassed(each))),
  ];
  const lost = `It did not pass at ${failed} of ${many(runs.length, "grade")} (${verdicts.join(", ")}).`;
  const passed =
    first < 0
      ? "It has not passed yet."
      : `It first passed at grade ${first + 1}, ${dayAndTime(runs[first]?.at ?? "")}.`;
  const again = first >= 0 && runs.slice(first).some(({ verdict }) => !hasPassed(verdict));
  return [lost, passed, ...(again ? ["After that it failed again."] : [])];
}

function sawIn(failures: readonly GradedCheck[]): string[] {
  const told = failures.flatMap(({ saw }) => {
    if (!saw) return [];
    const { message, expected, received } = saw;
    const lines = [message];
    if (expected !== undefined) lines.push(`expected  ${expected}`);
    if (received !== undefined) lines.push(`received  ${received}`);
    return [lines.join("\n")];
  });
  const [first, last] = [told[0], told.at(-1)];
  if (first === undefined || last === undefined) return [];
  // The same message with other figures says nothing new.
  const isSame = failures[0]?.saw?.message === failures.at(-1)?.saw?.message;
  return isSame ? [first] : [first, last];
}

function claimItem(
  id: string,
  predicate: string,
  standings: readonly (Standing | undefined)[],
): Item[] {
  const sureness = Math.max(...standings.map(surenessOf));
  if (sureness === 0) return [];
  const [claim, figure] = standings;
  const outcome = claim?.measurement?.outcome;
  const measured = outcome?.figureSaid ? `, ${outcome.figureSaid}` : "";
  const facts = [
    ...predictedOf(claim),
    ...predictedOf(figure),
    `\`${predicate}\`: ${outcome?.said}${measured}, on ${outcome?.at.slice(0, 10)}.`,
  ];
  return [{ key: `claim ${id}`, title: id, facts, saw: [], sureness }];
}

const SAID = {
  check: " that it passes at its first grade",
  claim: "",
  figure: ", nine times of ten",
} as const;

function predictedOf(standing: Standing | undefined): string[] {
  const said = standing && saidOf(standing);
  return said ? [`I had said: ${said}${SAID[standing.about]}.`] : [];
}

/** A range that misses was wrong with the 90 % that it was given. */
const RANGE = 0.9;

function surenessOf(standing: Standing | undefined): number {
  const outcome = standing?.measurement?.outcome;
  if (!standing?.prediction || !outcome) return 0;
  if (standing.about === "figure") {
    const { low, high } = standing.prediction;
    const { figure } = outcome;
    return figure !== undefined && (figure < low || figure > high) ? RANGE : 0;
  }
  const { probability } = standing.prediction;
  const { came } = outcome;
  if (!isWrong({ probability, came })) return 0;
  return came ? 1 - probability : probability;
}

/** The sentence above all items. */
export function summaryOf(items: readonly Item[], grades: readonly Grade[]): string {
  const wrong = items.filter(({ sureness }) => sureness > 0);
  const surest = wrong[0] && `; the surest of them with ${percent(wrong[0].sureness)}`;
  const since = grades[0] ? `since ${dayAndTime(grades[0].at)}` : "so far";
  return `${many(grades.length, "grade")} ${since}; ${many(wrong.length, "wrong prediction")}${surest ?? ""}.`;
}

function dayAndTime(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")} UTC`;
}
