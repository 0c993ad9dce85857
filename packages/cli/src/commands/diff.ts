import { dirname } from "node:path";
import { terminalPaint } from "@db-katas/grading";
import type { Command } from "commander";
import type { FileDifference } from "../diff/compare.ts";
import { findReference } from "../diff/reference.ts";
import { CliError } from "../errors.ts";
import { startProgress } from "../output.ts";
import { lastFullGrade, writeWhole } from "../results.ts";
import { findWorkspace, resolveTarget, type Target, type Workspace } from "../workspace.ts";

interface DiffOptions {
  readonly kata?: string;
  readonly spoil?: boolean;
  readonly file?: string[];
  readonly variant?: string;
  readonly html?: string | true;
  readonly json?: boolean;
}

const DEFAULT_PAGE = ".kata/diff.html";

export function registerDiff(program: Command): void {
  program
    .command("diff")
    .argument(
      "[kata|folder]",
      "a kata's name (your attempt at it), or a folder; default: this folder",
    )
    .description("your code beside the reference, once all checks have been run on it")
    .option("--kata <name>", "the kata, where the folder doesn't tell")
    .option("--spoil", "show it before that, too")
    .option("--file <path...>", "only these files or folders of src/")
    .option("--variant <name>", "beside another right answer (in a clone)")
    .option("--html [file]", `both side by side, as a page (default: ${DEFAULT_PAGE})`)
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
What it shows is a right answer, not the right answer: "-" is yours, "+" is the reference's. Outside
of a clone the reference is a package of its own, which is fetched now, into .kata/solutions.

Exit codes: 0 shown, or nothing differs; 2 refused`,
    )
    .action(run);
}

async function run(named: string | undefined, options: DiffOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const asked = options.kata === undefined ? {} : { kata: options.kata };
  const target = await resolveTarget(workspace, named, asked, process.cwd());
  if (!options.spoil) await assertGraded(workspace, target);
  const { kata, submission } = target;
  const progress = startProgress({ quiet: options.json === true });
  progress.update("looking for the reference");
  const reference = await findReference(kata, workspace, options.variant).finally(() =>
    progress.stop(),
  );
  // What compares is loaded only here: no other command waits for it.
  const { compareCode } = await import("../diff/compare.ts");
  const differences = await compareCode(dirname(submission.entry), reference, options.file);
  if (options.html !== undefined) {
    const file = options.html === true ? DEFAULT_PAGE : options.html;
    const { diffPage } = await import("../diff/page.ts");
    const title = `${kata.name}: ${submission.label} and the ${options.variant ? `variant ${options.variant}` : "reference"}`;
    await writeWhole(file, await diffPage(title, differences));
    if (!options.json) process.stdout.write(`Both sides: ${file}\n`);
  } else if (!options.json) process.stdout.write(formatDifferences(differences));
  if (options.json) {
    const shown = { kata: kata.name, submission: submission.label, differences };
    process.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
  }
}

/** @throws CliError `GRADE_FIRST` */
async function assertGraded(
  workspace: Workspace,
  { kata, submission, typed }: Target,
): Promise<void> {
  if (await lastFullGrade(workspace, kata.name, submission.label)) return;
  throw new CliError("GRADE_FIRST", `${submission.label} has not been graded by all checks yet.`, {
    likelyCause: "the reference is shown to those who have tried; --check runs only some checks",
    remedy: `pnpm kata grade ${typed}   (or, to see the answer now: pnpm kata diff ${typed} --spoil)`,
  });
}

function formatDifferences(differences: readonly FileDifference[]): string {
  if (differences.length === 0) return "Nothing differs.\n";
  const parts = differences.map(({ file, where, patch }) =>
    patch === undefined
      ? `${file}: ${where}; not shown, it is no text, or generated\n`
      : painted(patch),
  );
  return parts.join("\n");
}

function painted(patch: string): string {
  const styleOf = (line: string, index: number) => {
    // The two names.
    if (index < 2) return "bold";
    if (line.startsWith("@@")) return "cyan";
    if (line.startsWith("+")) return "green";
    return line.startsWith("-") ? "red" : undefined;
  };
  const lines = patch.split("\n").map((line, index) => {
    const style = styleOf(line, index);
    return style && line ? terminalPaint(style, line) : line;
  });
  return lines.join("\n");
}
