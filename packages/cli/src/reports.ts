import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { githubAnnotations, reporters, type Scorecard, type Submission } from "@db-katas/grading";
import { InvalidArgumentError } from "commander";
import { writeWhole } from "./results.ts";

/** One `--report`: in what form, and where to. */
export interface ReportTarget {
  readonly format: keyof typeof reporters;
  readonly file: string;
}

const formats = Object.keys(reporters) as (keyof typeof reporters)[];

/** `html` or `html=some/file.html`; may be given several times. */
export function parseReport(text: string, before: readonly ReportTarget[] = []): ReportTarget[] {
  const [name, ...rest] = text.split("=");
  const format = formats.find((known) => known === name);
  if (!format) {
    throw new InvalidArgumentError(
      `It takes <format> or <format>=<file>; the formats are ${formats.join(", ")}.`,
    );
  }
  const file = rest.join("=") || join(".kata", reporters[format].file);
  return [...before, { format, file }];
}

/** For `--help`. */
export function describeReports(): string {
  const lines = formats.map(
    (name) => `  ${name.padEnd(11)} ${reporters[name].summary} (.kata/${reporters[name].file})`,
  );
  return ["Formats of --report, and where they go unless =<file> is added:", ...lines].join("\n");
}

export async function writeReports(
  scorecard: Scorecard,
  targets: readonly ReportTarget[],
): Promise<void> {
  for (const { format, file } of targets) {
    await writeWhole(file, reporters[format].render(scorecard));
  }
}

/**
 * Inside of a GitHub Actions job: the job's summary is written, unasked.
 * @returns workflow commands, to be printed
 * @see https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export async function tellGitHub(scorecard: Scorecard, submission: Submission): Promise<string[]> {
  const { GITHUB_ACTIONS, GITHUB_STEP_SUMMARY, GITHUB_WORKSPACE } = process.env;
  if (GITHUB_ACTIONS !== "true") return [];
  if (GITHUB_STEP_SUMMARY) {
    await appendFile(GITHUB_STEP_SUMMARY, `${reporters.github.render(scorecard)}\n`);
  }
  const root = GITHUB_WORKSPACE ?? process.cwd();
  return githubAnnotations(scorecard, { folder: submission.folder, root });
}
