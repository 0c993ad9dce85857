import { terminalPaint } from "@db-katas/grading";
import { type Command, InvalidArgumentError } from "commander";
import { gradeOnce } from "../grade-once.ts";
import { reportError, startProgress } from "../output.ts";
import { describeReports, parseReport, type ReportTarget } from "../reports.ts";
import { chooseSeed, openSession, parseSeed } from "../session.ts";
import { withTargetOptions } from "../target-options.ts";
import { watchSubmission } from "../watch.ts";
import { findWorkspace, resolveTarget, type TargetOptions } from "../workspace.ts";

interface GradeCommandOptions extends TargetOptions {
  readonly check?: string[];
  readonly seed?: number;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly report?: ReportTarget[];
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
    .option("--report <format>", "write a report; may be repeated (see below)", parseReport)
    .option("--strict", "a check that can't be graded here counts as lost points")
    .option("--concurrency <n>", "checks at the same moment", parseConcurrency, 2)
    .addHelpText(
      "after",
      `
${describeReports()}

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
      const once = () =>
        gradeOnce(
          workspace,
          resolved,
          { ...options, seed: chooseSeed(options.seed) },
          session,
          progress,
        );
      process.exitCode = await once();
      if (!options.watch) return;
      for await (const changed of watchSubmission(resolved.submission.folder, session.signal)) {
        progress.line(`\n${terminalPaint("gray", `── ${changed} was saved`)}`);
        process.exitCode = await once().catch(reportError);
      }
    });
}

export function parseConcurrency(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 16) {
    throw new InvalidArgumentError("It takes a whole number from 1 to 16.");
  }
  return value;
}
