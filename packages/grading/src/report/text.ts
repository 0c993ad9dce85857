import { styleText } from "node:util";
import { type CheckResult, countOf, type Scorecard } from "./scorecard.ts";

type Style = Parameters<typeof styleText>[0];
export type Paint = (style: Style, text: string) => string;

/** Colours when the terminal has them (and `NO_COLOR` is not set), plain text otherwise. */
export const terminalPaint: Paint = (style, text) =>
  styleText(style, text, { stream: process.stdout, validateStream: true });
export const plainPaint: Paint = (_, text) => text;

export const MARKS: Record<CheckResult["verdict"], { mark: string; style: Style }> = {
  passed: { mark: "✓", style: "green" },
  failed: { mark: "✗", style: "red" },
  skipped: { mark: "–", style: "gray" },
  "not graded": { mark: "?", style: "yellow" },
  "timed out": { mark: "⧖", style: "red" },
  crashed: { mark: "☠", style: "red" },
  error: { mark: "!", style: "magenta" },
};

const STDERR_LINES = 12;
const LOG_LINES = 10;

/** One line for one check. */
export function formatCheckLine(check: CheckResult, paint: Paint): string {
  const { mark, style } = MARKS[check.verdict];
  const points = `${check.earned}/${check.points}`.padStart(5);
  const seconds = `${(check.durationMs / 1_000).toFixed(1)} s`.padStart(7);
  const verdict =
    check.verdict === "passed" || check.verdict === "failed" ? "" : ` ${check.verdict}`;
  const reason = check.reason ? paint("gray", ` (${check.reason})`) : "";
  return `  ${paint(style, mark)} ${points} ${paint("gray", seconds)}  ${check.title}${paint("gray", ` · ${check.id}`)}${paint(style, verdict)}${reason}`;
}

/** What people need to act on a check that did not pass: several lines, indented. */
export function formatFailure(check: CheckResult, paint: Paint): string {
  const { failure } = check;
  if (!failure) return "";
  const lines = [paint("bold", failure.message)];
  if (failure.expected !== undefined)
    lines.push(`${paint("green", "expected")}  ${failure.expected}`);
  if (failure.received !== undefined)
    lines.push(`${paint("red", "received")}  ${failure.received}`);
  lines.push(...failure.detail.map((line) => `  ${line}`));
  if (failure.trace.length > 0) {
    lines.push(paint("gray", "what was done, the last of it:"));
    lines.push(...failure.trace.map((line) => paint("gray", line)));
  }
  const wrote = (who: string, text: string | undefined, most: number) => {
    if (!text) return;
    lines.push(paint("gray", `${who} wrote:`));
    lines.push(
      ...text
        .trimEnd()
        .split("\n")
        .slice(-most)
        .map((line) => `  ${line}`),
    );
  };
  wrote("the submission", failure.stderr, STDERR_LINES);
  wrote("the engines", failure.engineLog, LOG_LINES);
  lines.push(`${paint("cyan", "again")}  ${check.replay}`);
  return lines.map((line) => `          ${line}`).join("\n");
}

/** Points, engines, counts. The last line is the one that machines read too: `N passed, N failed`. */
export function formatSummary(scorecard: Scorecard, paint: Paint): string {
  const { points, checks, engines } = scorecard;
  const { passed, failed, skipped } = countOf(scorecard);
  const notGraded = checks.filter(({ verdict }) => verdict === "not graded").length;
  const style: Style = points.earned === points.possible && notGraded === 0 ? "green" : "yellow";
  const where = engines.map(({ name, version, provider }) => `${name} ${version} (${provider})`);
  const lines = [
    "",
    `  ${paint([style, "bold"], `${points.earned} of ${points.possible} points`)}` +
      `${notGraded > 0 ? ` (${notGraded} checks worth ${points.total - points.possible} not graded)` : ""}` +
      `  ${paint("gray", [...where, `seed ${scorecard.seed}`, `${(scorecard.durationMs / 1_000).toFixed(1)} s`].join(" · "))}`,
    "",
    `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  ];
  return lines.join("\n");
}

/** The whole scorecard as text. A failure that all checks share is told once. */
export function formatScorecard(scorecard: Scorecard, paint: Paint = plainPaint): string {
  const told = new Set<string>();
  const blocks = scorecard.checks.flatMap((check) => {
    const line = formatCheckLine(check, paint);
    if (!check.failure) return [line];
    const { message, expected, received } = check.failure;
    const what = JSON.stringify([message, expected, received]);
    if (told.has(what)) return [line];
    told.add(what);
    return [line, formatFailure(check, paint)];
  });
  return [...blocks, formatSummary(scorecard, paint)].join("\n");
}
