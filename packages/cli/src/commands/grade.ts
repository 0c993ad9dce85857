import { exitCodeOf, loadRubric, terminalPaint } from "@db-katas/grading";
import { type Command, InvalidArgumentError, Option } from "commander";
import { CliError } from "../errors.ts";
import { gradeOnce } from "../grade-once.ts";
import { inspection } from "../inspect.ts";
import { keepUntilEnded } from "../keep.ts";
import { type Progress, reportError, startProgress } from "../output.ts";
import { replay } from "../replay.ts";
import { describeReports, parseReport, type ReportTarget } from "../reports.ts";
import { chooseSeed, openSession, parseSeed, type Session } from "../session.ts";
import { withTargetOptions } from "../target-options.ts";
import { watchSubmission } from "../watch.ts";
import { findWorkspace, resolveTarget, type Target, type TargetOptions } from "../workspace.ts";

interface GradeCommandOptions extends TargetOptions {
  readonly check?: string[];
  readonly seed?: number;
  readonly watch?: boolean;
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly report?: ReportTarget[];
  readonly isolated?: boolean;
  readonly concurrency: number;
  readonly times?: number;
  readonly keep?: boolean;
  readonly inspect?: string | boolean;
  readonly bundle?: string[];
  readonly csv?: string;
  readonly claims?: boolean;
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
    .addOption(
      new Option(
        "--times <n>",
        "run one --check that often with one seed: how surely does it fail?",
      )
        .argParser(parseTimes)
        .conflicts(["watch", "json", "report", "keep", "inspect"]),
    )
    .addOption(
      new Option(
        "--keep",
        "leave everything as the first failed check left it, until Ctrl-C",
      ).conflicts(["watch", "json"]),
    )
    .addOption(
      new Option(
        "--inspect [check]",
        "app nodes wait for a debugger; no time limit holds",
      ).conflicts(["watch", "json"]),
    )
    .option("--strict", "a check that can't be graded here counts as lost points")
    .option("--isolated", "shut the submission off from this machine (Linux), or refuse")
    .option("--concurrency <n>", "checks at the same moment", parseConcurrency, 3)
    .addOption(
      new Option(
        "--bundle <file...>",
        "what `kata submit` made, one or many: measured, compared",
      ).conflicts(["watch", "report", "times", "keep", "inspect", "check", "reference", "mutant"]),
    )
    .addOption(
      new Option(
        "--claims",
        "the claims of your own decision log instead, where the kata asks for some",
      ).conflicts([
        ...["watch", "report", "times", "keep", "inspect", "check", "bundle", "isolated"],
        ...["reference", "mutant", "variant"],
      ]),
    )
    .option("--csv <file>", "with --bundle: the summary for a spreadsheet")
    .addHelpText(
      "after",
      `
${describeReports()}

With --bundle, the exit code is 1 if a person should look: points that differ from what was claimed, an
altered or a refused bundle. All are graded with one seed. What Ctrl-C ends, the same command goes on with.

Exit codes:
  0  full marks
  1  points lost
  2  an error of ours or of this machine
  3  the submission crashed or timed out
  4  nothing could be graded here`,
    )
    .action(async (target: string | undefined, options: GradeCommandOptions) => {
      const workspace = await findWorkspace(process.cwd());
      if (options.bundle) {
        const { gradeBundles } = await import("./grade-bundles.ts");
        const { bundle } = options;
        process.exitCode = await gradeBundles(workspace, { ...options, bundle });
        return;
      }
      const resolved = await resolveTarget(workspace, target, options, process.cwd());
      const progress = startProgress({ quiet: options.json === true });
      await using session = await openSession(progress);
      if (options.claims) {
        // Statistics and parsers take time to load: only whoever claims something shall wait for them.
        const { gradeClaims } = await import("../claims/grade-claims.ts");
        const { json } = options;
        const asked = { json, seed: chooseSeed(options.seed) };
        process.exitCode = await gradeClaims(workspace, resolved, asked, session, progress);
        return;
      }
      if (options.times !== undefined) {
        process.exitCode = await replayCheck(resolved, options, options.times, session, progress);
        return;
      }
      const looking = {
        ...(options.keep && {
          hold: keepUntilEnded(workspace, resolved.kata.name, session, progress),
        }),
        ...(options.inspect && inspection(options.inspect, options.check, progress)),
      };
      const once = async () => {
        const { check, concurrency, json, strict, isolated, report } = options;
        const seed = chooseSeed(options.seed);
        const asked = { check, concurrency, json, isolated, report, seed, ...looking };
        return exitCodeOf(await gradeOnce(workspace, resolved, asked, session, progress), strict);
      };
      process.exitCode = await once();
      if (!options.watch) return;
      for await (const changed of watchSubmission(resolved.submission.folder, session.signal)) {
        progress.line(`\n${terminalPaint("gray", `── ${changed} was saved`)}`);
        process.exitCode = await once().catch(reportError);
      }
    });
}

async function replayCheck(
  { kata, submission, typed }: Target,
  options: GradeCommandOptions,
  times: number,
  session: Session,
  progress: Progress,
): Promise<number> {
  const [check, ...more] = options.check ?? [];
  if (check === undefined || more.length > 0) {
    throw new CliError("CHECK_UNCLEAR", "--times repeats one check, and needs to know which.", {
      remedy: `pnpm kata grade ${typed} --check <id> --times ${times}`,
    });
  }
  const seed = chooseSeed(options.seed);
  const { engines, compileCache, signal } = session;
  const { isolated } = options;
  const rubric = await loadRubric(kata);
  const graded = { kata, rubric, submission, isolated, seed, target: typed, check };
  return replay({ ...graded, engines, compileCache, signal }, times, progress);
}

function parseTimes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000) {
    throw new InvalidArgumentError("It takes a whole number from 1 to 10000.");
  }
  return value;
}

export function parseConcurrency(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 16) {
    throw new InvalidArgumentError("It takes a whole number from 1 to 16.");
  }
  return value;
}
