import {
  countOf,
  exitCodeOf,
  formatCheckLine,
  formatFailure,
  formatSummary,
  grade,
  loadRubric,
  type Scorecard,
  terminalPaint,
  withDependencies,
} from "@db-katas/grading";
import { type Command, InvalidArgumentError } from "commander";
import { type Progress, reportError, startProgress } from "../output.ts";
import { saveScorecard, writeJson } from "../results.ts";
import { chooseSeed, openSession, parseSeed, type Session } from "../session.ts";
import { withTargetOptions } from "../target-options.ts";
import { watchSubmission } from "../watch.ts";
import {
  findWorkspace,
  resolveTarget,
  type Target,
  type TargetOptions,
  type Workspace,
} from "../workspace.ts";

interface GradeCommandOptions extends TargetOptions {
  readonly check?: string[];
  readonly seed?: number;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly report?: string;
  readonly concurrency: number;
}

export function registerGrade(program: Command): void {
  withTargetOptions(program.command("grade"))
    .argument(
      "[kata|folder]",
      "a kata's name (your attempt at it), or a folder; default: this folder",
    )
    .description("grade a submission on real engines")
    .option("--check <id...>", "only these checks, and what they depend on")
    .option("--seed <number>", "replay what another run saw", parseSeed)
    .option("--watch", "grade again whenever a file is saved; the engines stay up")
    .option("--json", "the scorecard as JSON on stdout")
    .option("--report <file>", "the scorecard as JSON into a file")
    .option("--strict", "a check that can't be graded here counts as lost points")
    .option("--concurrency <n>", "checks at the same moment", parseConcurrency, 2)
    .addHelpText(
      "after",
      `
Exit codes:
  0  full marks
  1  points lost
  2  an error of ours or of this machine
  3  the submission crashed or timed out
  4  nothing could be graded here`,
    )
    .action(async (target: string | undefined, options: GradeCommandOptions) => {
      const workspace = await findWorkspace(process.cwd());
      const resolved = await resolveTarget(workspace, target, options, process.cwd());
      const progress = startProgress({ quiet: options.json === true });
      await using session = await openSession(progress);
      process.exitCode = await gradeOnce(workspace, resolved, options, session, progress);
      if (!options.watch) return;
      for await (const changed of watchSubmission(resolved.submission.folder, session.signal)) {
        progress.line(`\n${terminalPaint("gray", `── ${changed} was saved`)}`);
        process.exitCode = await gradeOnce(workspace, resolved, options, session, progress).catch(
          reportError,
        );
      }
    });
}

async function gradeOnce(
  workspace: Workspace,
  { kata, submission, typed }: Target,
  options: GradeCommandOptions,
  session: Session,
  progress: Progress,
): Promise<number> {
  const rubric = await loadRubric(kata);
  const seed = chooseSeed(options.seed);
  const total = options.check ? withDependencies(rubric, options.check).length : rubric.length;
  let done = 0;
  const running = new Set<string>();
  const told = new Set<string>();
  const show = () => progress.update(`${done}/${total}  ${[...running].join(", ")}`);
  progress.line(terminalPaint("bold", `${kata.name} · ${submission.label}`));
  progress.update("starting the engines");
  let scorecard: Scorecard;
  try {
    scorecard = await grade({
      kata,
      rubric,
      submission,
      engines: session.engines,
      seed,
      only: options.check,
      concurrency: options.concurrency,
      target: typed,
      compileCache: session.compileCache,
      signal: session.signal,
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
  } finally {
    progress.stop();
  }
  await saveScorecard(workspace, scorecard);
  if (options.report) await writeJson(options.report, { ...countOf(scorecard), scorecard });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(scorecard, null, 2)}\n`);
  } else {
    if (scorecard.checks.some((check) => check.hints.length > 0)) {
      const folder = typed === kata.name ? kata.name : typed;
      progress.line(`\n  ${terminalPaint("cyan", "stuck?")}  pnpm kata hint ${folder}`);
    }
    progress.line(formatSummary(scorecard, terminalPaint));
  }
  return exitCodeOf(scorecard, options.strict);
}

export function parseConcurrency(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 16) {
    throw new InvalidArgumentError("It takes a whole number from 1 to 16.");
  }
  return value;
}
