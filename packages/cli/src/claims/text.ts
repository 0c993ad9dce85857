import type { Paint } from "@db-katas/grading";
import { formatFinding, type Proof } from "@db-katas/measure";

/** What became of a learner's claim. */
export interface Graded {
  readonly id: string;
  readonly earned: number;
  readonly points: number;
  readonly durationMs: number;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly proof: Proof }
  /** Why it could not be put to the test: the learner's to mend. */
  | { readonly wrong: string }
  /** What this machine lacks. */
  | { readonly needs: string };

interface Asked {
  readonly count: number;
  readonly points: number;
}

/** One claim, with what was measured, and what came of the delays. */
export function formatGraded(graded: Graded, delayMs: number, paint: Paint): string {
  const { id, earned, points, durationMs, outcome } = graded;
  const mark = earned > 0 ? paint("green", "✓") : paint("red", "✗");
  const seconds = `${(durationMs / 1_000).toFixed(1)} s`;
  const details = detailsOf(outcome, delayMs).flatMap((each) => each.split("\n"));
  return [
    `  ${mark}  ${earned}/${points}  ${seconds.padStart(6)}  ${id}`,
    ...details.map((line) => `          ${line}`),
  ].join("\n");
}

function detailsOf(outcome: Outcome, delayMs: number): string[] {
  if ("wrong" in outcome) return [outcome.wrong];
  if ("needs" in outcome) return [outcome.needs];
  const { finding, sabotaged, proven } = outcome.proof;
  const [, ...figures] = formatFinding(finding).split("\n");
  const others = Object.entries(sabotaged).map(
    ([role, { verdict }]) => `with ${role} ${delayMs} ms further away: ${verdict}`,
  );
  const why = proven ? [] : [whyNot(outcome.proof)];
  return [finding.verdict, ...figures, ...others, ...why];
}

function whyNot({ finding, sabotaged }: Proof): string {
  if (finding.verdict === "not run") return `It was not run: ${finding.needs}.`;
  if (Object.values(sabotaged).every(({ verdict }) => verdict === finding.verdict)) {
    return "It cannot fail: whatever an engine takes, it comes out the same.";
  }
  return "It has to come out as the log says, and contrary to that with one of the engines further away.";
}

export function pointsOf(graded: readonly Graded[], { count, points }: Asked) {
  const earned = graded.reduce((sum, each) => sum + each.earned, 0);
  return { earned, possible: count * points };
}

/** @param log where claims are to be written */
export function formatPoints(graded: readonly Graded[], asked: Asked, log: string): string {
  const { earned, possible } = pointsOf(graded, asked);
  const lacking = asked.count - graded.filter((each) => each.earned > 0).length;
  const left =
    lacking > 0 ? [`  ${lacking} of ${asked.count} claims are still to be made, in ${log}`] : [];
  return [
    "",
    ...left,
    `  ${earned} of ${possible} points for claims, apart from the rubric's`,
  ].join("\n");
}
