import { type CheckResult, exitCodeOf, exitCodes, type Scorecard } from "./scorecard.ts";
import { formatFailure, formatSummary, plainPaint } from "./text.ts";

/**
 * `results.json` as Gradescope documents it
 * (gradescope-autograders.readthedocs.io, "Autograder Specifications", "Output Format").
 * A check that could not be graded stays in with its points: the instructor's machine has to be able
 * to grade all of them, and losing them silently would be worse.
 */
export function gradescope(scorecard: Scorecard): string {
  const ours = exitCodeOf(scorecard) === exitCodes.ourError;
  const results = {
    score: scorecard.points.earned,
    execution_time: Math.round(scorecard.durationMs / 1_000),
    output: [
      ...(ours
        ? ["Something went wrong that is not the submission's fault: tell your instructor."]
        : []),
      formatSummary(scorecard, plainPaint).trim(),
    ].join("\n"),
    output_format: "text",
    visibility: "visible",
    stdout_visibility: "hidden",
    tests: scorecard.checks.map((check, index) => ({
      score: check.earned,
      max_score: check.points,
      // "failed" is all that Gradescope knows besides "passed"; the rest is in the output.
      status: check.verdict === "passed" ? "passed" : "failed",
      name: check.title,
      name_format: "text",
      number: String(index + 1),
      output: outputOf(check),
      output_format: "text",
      tags: [check.id, check.concept, check.verdict],
      visibility: "visible",
    })),
    extra_data: { kata: scorecard.kata, seed: scorecard.seed, engines: scorecard.engines },
  };
  return `${JSON.stringify(results, null, 2)}\n`;
}

function outputOf(check: CheckResult): string {
  if (check.verdict === "passed") return "";
  if (!check.failure) return `${check.verdict}: ${check.reason ?? ""}`;
  const [hint] = check.hints;
  return [
    ...(check.verdict === "failed" ? [] : [check.verdict]),
    formatFailure(check, plainPaint).replaceAll(/^ {10}/gm, ""),
    ...(hint === undefined ? [] : [`hint  ${hint}`]),
  ].join("\n");
}
