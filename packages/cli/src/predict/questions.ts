/** What an exercise can be predicted about: nothing of it is written down a second time. */
import type { Rubric } from "@db-katas/grading";
import {
  type Claim,
  type Expression,
  formatExpression,
  type MeasuredClaim,
  measuresOf,
} from "@db-katas/measure";
import { CliError } from "../errors.ts";
import type { Prediction } from "./predictions.ts";

export interface Question {
  readonly about: Prediction["about"];
  readonly id: string;
  /** What it is about, in one line: a check's title, a claim's predicate, a figure's two sides. */
  readonly asks: string;
  /** Of a figure: what its range is in, empty for a bare number. */
  readonly unit?: string;
}

/**
 * Will each check pass at its first grade, will each claim that an experiment measures hold, and by what
 * figure? Claims whose evidence is checks are about the reference, which passes them.
 */
export function questionsOf(rubric: Rubric, claims: readonly Claim[]): Question[] {
  const measured = claims.filter((claim) => claim.kind === "measured");
  return [
    ...rubric.map(({ id, title }) => ({ about: "check" as const, id, asks: title })),
    ...measured.flatMap((claim) => {
      const { id, predicate } = claim.fields;
      return [{ about: "claim" as const, id, asks: predicate }, ...figureOf(claim)];
    }),
  ];
}

/** What `kata falsify` will print of a claim's first comparison. */
function figureOf({ fields: { id }, predicate }: MeasuredClaim): Question[] {
  const [first] = predicate.comparisons;
  if (!first) return [];
  const { left, right } = first;
  const [side, number] = measuresOf(right).length === 0 ? [left, right] : [right, left];
  const question = { about: "figure" as const, id, unit: "" };
  if (measuresOf(number).length > 0) {
    const ratio = { kind: "binary", operator: "/", left, right, at: 0 } as const;
    return [{ ...question, asks: formatExpression(ratio) }];
  }
  if (side.kind === "growth") {
    return [{ ...question, asks: `e in ${formatExpression(side.of)} = c · size^e` }];
  }
  const unit = unitOf(number);
  return [{ ...question, unit, asks: `${formatExpression(side)}${unit ? `, in ${unit}` : ""}` }];
}

/** As the claim's author wrote it; the claim was checked, so that it fits what is measured. */
function unitOf(number: Expression): string {
  if (number.kind === "quantity") return number.unit;
  return number.kind === "binary" ? unitOf(number.left) || unitOf(number.right) : "";
}

/** @throws CliError `QUESTION_UNKNOWN` */
export function findQuestion(
  questions: readonly Question[],
  about: Question["about"],
  id: string,
  typed: string,
): Question {
  const found = questions.find((each) => each.about === about && each.id === id);
  if (found) return found;
  const what = about === "check" ? "check" : about === "claim" ? "claim" : "claim with a figure";
  const known = questions.filter((each) => each.about === about).map((each) => each.id);
  throw new CliError("QUESTION_UNKNOWN", `There is no ${what} called "${id}" to predict.`, {
    likelyCause: `the ones here are ${known.join(", ") || "none"}`,
    remedy: `pnpm kata predict ${typed} --list`,
  });
}
