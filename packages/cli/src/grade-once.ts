import {
  fingerprint,
  formatCheckLine,
  formatFailure,
  formatSummary,
  type GradeOptions,
  grade,
  loadRubric,
  type Scorecard,
  terminalPaint,
  withDependencies,
} from "@db-katas/grading";
import { describeEnvironment } from "./environment.ts";
import type { Progress } from "./output.ts";
import { formatPredicted, withPredictions } from "./predict/graded.ts";
import { attemptFolder, recordGrade } from "./predict/grades.ts";
import { type ReportTarget, tellGitHub, writeReports } from "./reports.ts";
import { saveFullGrade, saveScorecard } from "./results.ts";
import type { Session } from "./session.ts";
import { sourcesOf } from "./soak/journal.ts";
import { withTypedHere } from "./typed.ts";
import type { Target, Workspace } from "./workspace.ts";

export interface GradeOnceOptions {
  readonly seed: number;
  readonly check?: readonly string[] | undefined;
  readonly concurrency: number;
  readonly json?: boolean | undefined;
  readonly isolated?: boolean | undefined;
  readonly report?: readonly ReportTarget[] | undefined;
  readonly hold?: GradeOptions["hold"];
  readonly inspect?: GradeOptions["inspect"];
}

/** One grade with its progress, its reports and its summary, kept for the commands that ask for it. */
export async function gradeOnce(
  workspace: Workspace,
  { kata, submission, typed }: Target,
  options: GradeOnceOptions,
  session: Session,
  progress: Progress,
): Promise<Scorecard> {
  const rubric = await loadRubric(kata);
  // Before anything runs: while it does, somebody may save a file.
  const code = await fingerprint(submission);
  const only = options.check;
  const total = only ? withDependencies(rubric, only).length : rubric.length;
  let done = 0;
  const running = new Set<string>();
  const told = new Set<string>();
  const show = () => progress.update(`${done}/${total}  ${[...running].join(", ")}`);
  progress.line(terminalPaint("bold", `${kata.name} · ${submission.label}`));
  progress.update("starting the engines");
  using _stop = { [Symbol.dispose]: () => progress.stop() };
  const graded = await grade({
    kata,
    rubric,
    submission,
    engines: session.engines,
    seed: options.seed,
    only,
    concurrency: options.concurrency,
    isolated: options.isolated,
    target: typed,
    compileCache: session.compileCache,
    signal: session.signal,
    hold: options.hold,
    inspect: options.inspect,
    onStart: (check) => {
      running.add(check.id);
      show();
    },
    onResult: (result) => {
      running.delete(result.id);
      done++;
      progress.line(formatCheckLine(result, terminalPaint));
      const message = result.failure?.message;
      if (message !== undefined && !told.has(message)) {
        told.add(message);
        progress.line(formatFailure(result, terminalPaint));
      }
      show();
    },
  });
  progress.stop();
  const scorecard = withTypedHere(graded);
  await saveScorecard(workspace, scorecard);
  if (!only && !options.inspect) {
    const sources = await sourcesOf(workspace.root, kata.folder);
    const environment = describeEnvironment();
    await saveFullGrade(workspace, { fingerprint: code, sources, environment, scorecard });
  }
  const attempt = attemptFolder(workspace, submission);
  // Under a debugger no time limit holds: that is no grade to be counted.
  if (attempt && !options.inspect) await recordGrade(attempt, code, scorecard);
  const shown = attempt ? await withPredictions(attempt, scorecard) : scorecard;
  await writeReports(shown, options.report ?? []);
  const commands = await tellGitHub(scorecard, submission);
  if (options.json) {
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  } else {
    const predicted = formatPredicted(shown, terminalPaint);
    if (predicted) progress.line(predicted);
    if (scorecard.checks.some((check) => check.hints.length > 0)) {
      progress.line(`\n  ${terminalPaint("cyan", "stuck?")}  pnpm kata hint ${typed}`);
    }
    for (const { format, file } of options.report ?? []) {
      progress.line(`  ${terminalPaint("cyan", format)}  ${file}`);
    }
    for (const command of commands) progress.line(command);
    progress.line(formatSummary(scorecard, terminalPaint));
  }
  return scorecard;
}
