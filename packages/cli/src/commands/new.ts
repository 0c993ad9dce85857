import { createExercise, installPackages } from "@db-katas/generators";
import type { Command } from "commander";
import { startProgress } from "../output.ts";
import { findWorkspace } from "../workspace.ts";

interface NewOptions {
  readonly engines: string[];
  readonly title?: string;
  readonly dryRun?: boolean;
  readonly install: boolean;
  readonly json?: boolean;
}

export function registerNew(program: Command): void {
  program
    .command("new")
    .argument("<name>", "lower-case words with dashes: the folder in projects/")
    .description("make a new exercise that grades and verifies as it is")
    .requiredOption("--engines <name...>", "what it runs on; pnpm kata engines status names them")
    .option("--title <text>", "for people; default: made from the name")
    .option("--dry-run", "say which files it would write, and write none")
    .option("--no-install", "don't install the exercise's packages")
    .option("--json", "as JSON on stdout")
    .action(async (name: string, options: NewOptions) => {
      const { root } = await findWorkspace(process.cwd());
      const files = await createExercise({
        name,
        title: options.title ?? titleOf(name),
        engines: options.engines.flatMap((list) => list.split(",")),
        into: root,
        dryRun: options.dryRun,
      });
      const progress = startProgress({ quiet: options.json === true });
      if (options.install && !options.dryRun) {
        progress.update("installing its packages");
        await installPackages(root).finally(() => progress.stop());
      }
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ name, files, written: !options.dryRun }, null, 2)}\n`
          : `${files.join("\n")}\n\n${options.dryRun ? "Nothing was written." : `Prove its grader: pnpm kata verify ${name}`}\n`,
      );
    });
}

function titleOf(name: string): string {
  const words = name.replaceAll("-", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
