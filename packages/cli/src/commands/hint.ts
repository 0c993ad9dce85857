import { terminalPaint } from "@db-katas/grading";
import { type Command, InvalidArgumentError } from "commander";
import { CliError } from "../errors.ts";
import { lastScorecard } from "../results.ts";
import { withTargetOptions } from "../target-options.ts";
import { asTypedHere } from "../typed.ts";
import { findWorkspace, resolveTarget, type TargetOptions } from "../workspace.ts";

interface HintOptions extends TargetOptions {
  readonly check?: string;
  readonly level: number;
  readonly json?: boolean;
}

export function registerHint(program: Command): void {
  withTargetOptions(program.command("hint"))
    .argument("[kata|folder]", "as for grade")
    .description(
      "a hint for the first check that your last grade failed; ask for more with --level",
    )
    .option("--check <id>", "for this check")
    .option("--level <n>", "1 points, the last one nearly tells", parseLevel, 1)
    .option("--json", "as JSON on stdout")
    .action(async (target: string | undefined, options: HintOptions) => {
      const workspace = await findWorkspace(process.cwd());
      const { kata, submission, typed } = await resolveTarget(
        workspace,
        target,
        options,
        process.cwd(),
      );
      const scorecard = await lastScorecard(workspace, kata.name, submission.label, typed);
      const failed = scorecard.checks.filter((check) => check.hints.length > 0);
      const check = options.check
        ? scorecard.checks.find((candidate) => candidate.id === options.check)
        : failed[0];
      if (!check && !options.check) {
        process.stdout.write("Nothing failed in your last grade: there is nothing to hint at.\n");
        return;
      }
      if (!check || check.hints.length === 0) {
        throw new CliError("HINT_UNKNOWN", `There is no hint for "${options.check}".`, {
          likelyCause: `the checks that failed are ${failed.map(({ id }) => id).join(", ") || "none"}`,
          remedy: `pnpm kata grade ${typed}`,
        });
      }
      const shown = check.hints.slice(0, options.level);
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ check: check.id, hints: shown }, null, 2)}\n`);
        return;
      }
      const lines = [terminalPaint("bold", `${check.id}: ${check.title}`), ""];
      for (const [index, hint] of shown.entries()) lines.push(`  ${index + 1}. ${hint}`, "");
      const more = check.hints.length - shown.length;
      lines.push(
        more > 0
          ? `${more} more: pnpm kata hint ${typed} --check ${check.id} --level ${shown.length + 1}`
          : "That was the last hint.",
      );
      process.stdout.write(asTypedHere(`${lines.join("\n")}\n`));
    });
}

function parseLevel(text: string): number {
  const level = Number(text);
  if (!Number.isInteger(level) || level < 1) {
    throw new InvalidArgumentError("A level is a whole number from 1 on.");
  }
  return level;
}
