import { relative, resolve } from "node:path";
import { type CheckResult, countOf, type Scorecard } from "./scorecard.ts";
import { formatFailure, MARKS, plainPaint } from "./text.ts";

/** GitHub cuts off a step's summary at 1 MiB and refuses it beyond; half of that is plenty. */
const SUMMARY_CHARACTERS = 500_000;

/** A job summary: GitHub-flavoured Markdown, in which nothing that a submission wrote is mark-up. */
export function githubSummary(scorecard: Scorecard): string {
  const { kata, submission, points, seed, engines, checks } = scorecard;
  const { passed, failed, skipped } = countOf(scorecard);
  const where = engines.map(({ name, version, provider }) => `${name} ${version} (${provider})`);
  const head = [
    `## ${plain(kata)} · ${plain(submission)}`,
    "",
    `**${points.earned} of ${points.possible} points** · ${passed} passed, ${failed} failed, ${skipped} skipped · ${[...where, `seed ${seed}`].map(plain).join(" · ")}`,
    "",
    "| | check | points | time | verdict |",
    "|---|---|--:|--:|---|",
    ...checks.map(
      (check) =>
        `| ${MARKS[check.verdict].mark} | ${plain(check.title)} (\`${check.id}\`) | ${check.earned}/${check.points} | ${(check.durationMs / 1_000).toFixed(1)} s | ${check.verdict}${check.reason ? `: ${plain(check.reason)}` : ""} |`,
    ),
    "",
  ].join("\n");
  const blocks = checks
    .filter((check) => check.failure)
    .map((check) =>
      [
        `<details><summary>${MARKS[check.verdict].mark} ${plain(check.title)}</summary>`,
        "",
        fenced(formatFailure(check, plainPaint).replaceAll(/^ {10}/gm, "")),
        "",
        "</details>",
        "",
      ].join("\n"),
    );
  let text = head;
  for (const block of blocks) {
    if (text.length + block.length > SUMMARY_CHARACTERS) {
      text += "\nThe rest does not fit here; `--report html` has all of it.\n";
      break;
    }
    text += `\n${block}`;
  }
  return text;
}

/**
 * One workflow command per check that lost points, which GitHub shows in the log and, where the
 * submission's stack names a line, on that line of the diff.
 * @param options.folder the submission's
 * @param options.root the checked-out repository, to which GitHub's paths are relative
 */
export function githubAnnotations(
  { checks, kata }: Scorecard,
  options: { readonly folder: string; readonly root: string },
): string[] {
  return checks
    .filter(({ verdict }) => verdict !== "passed" && verdict !== "skipped")
    .map((check) => {
      const properties = {
        title: `${kata}: ${check.title}`,
        ...placeOf(check, options.folder, options.root),
      };
      const listed = Object.entries(properties).map(
        ([name, value]) => `${name}=${escapeProperty(String(value))}`,
      );
      const { failure } = check;
      const message = [
        `${check.verdict}: ${failure?.message ?? check.reason ?? ""}`,
        ...(failure?.expected === undefined ? [] : [`expected ${failure.expected}`]),
        ...(failure?.received === undefined ? [] : [`received ${failure.received}`]),
        `again: ${check.replay}`,
      ].join("\n");
      const kind = check.verdict === "not graded" ? "warning" : "error";
      return `::${kind} ${listed.join(",")}::${escapeData(message)}`;
    });
}

function placeOf(check: CheckResult, folder: string, root: string) {
  const location = check.failure?.location;
  if (!location) return {};
  const file = relative(root, resolve(folder, location.file)).replaceAll("\\", "/");
  return file.startsWith("..") ? {} : { file, line: location.line, col: location.column };
}

/** As the runner reads them back: github.com/actions/toolkit, packages/core/src/command.ts. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

/** Text that Markdown takes for nothing else, on one line. */
function plain(text: string): string {
  return text
    .replaceAll(/\s+/g, " ")
    .replaceAll(/[\\`*_[\]<>|#~&!@:]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** A fence longer than any inside. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
