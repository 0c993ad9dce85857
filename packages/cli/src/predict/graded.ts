/** A grade beside what was said of it before. */
import { type CheckResult, type Paint, plainPaint, type Scorecard } from "@db-katas/grading";
import { penaltyOf } from "./brier.ts";
import { readGrades } from "./grades.ts";
import { percent } from "./percent.ts";
import { readPredictions } from "./predictions.ts";
import { measuredChecks, type Standing, standingsOf } from "./standings.ts";

/** The scorecard, with what was predicted in time of the checks in it. */
export async function withPredictions(attempt: string, scorecard: Scorecard): Promise<Scorecard> {
  const predictions = await readPredictions(attempt);
  if (predictions.length === 0) return scorecard;
  const standings = standingsOf(predictions, measuredChecks(await readGrades(attempt)), new Map());
  const checks = scorecard.checks.map((check) => {
    const standing = standings.find(({ about, id }) => about === "check" && id === check.id);
    const prediction = standing && predictionOf(standing);
    return prediction ? { ...check, prediction } : check;
  });
  return { ...scorecard, checks };
}

function predictionOf(standing: Standing): CheckResult["prediction"] {
  if (standing.about === "figure" || !standing.prediction) return undefined;
  const { at, probability } = standing.prediction;
  const outcome = standing.measurement?.outcome;
  return { probability, at, ...(outcome && { first: { at: outcome.at, passed: outcome.came } }) };
}

/** Predictions that this grade has decided, the surest wrong first; undefined for none. */
export function formatPredicted(
  { kata, checks, startedAt }: Scorecard,
  paint: Paint = plainPaint,
): string | undefined {
  const decided = checks.flatMap(({ id, verdict, prediction }) =>
    prediction?.first?.at === startedAt
      ? { id, verdict, probability: prediction.probability, came: prediction.first.passed }
      : [],
  );
  if (decided.length === 0) return undefined;
  const penalties = decided.map(penaltyOf);
  const brier = penalties.reduce((sum, each) => sum + each, 0) / decided.length;
  const width = Math.max(...decided.map(({ id }) => id.length));
  const lines = decided
    .toSorted((one, other) => penaltyOf(other) - penaltyOf(one))
    .map((each) => {
      const said = percent(each.probability).padStart(5);
      const line = `    ${each.id.padEnd(width)}  ${said}  ${each.verdict}`;
      return isWrong(each) ? paint("yellow", line) : line;
    });
  return [
    "",
    `  ${paint("bold", "predicted to pass, and what came of it")}`,
    ...lines,
    `    Brier score ${brier.toFixed(3)}; 0 is best, 0.25 is 50 % each time. All of yours: pnpm kata predict ${kata} --score`,
  ].join("\n");
}

/** Said to be the less likely of the two. */
export function isWrong({ probability, came }: { probability: number; came: boolean }): boolean {
  return came ? probability < 0.5 : probability > 0.5;
}
