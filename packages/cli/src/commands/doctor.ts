import { cacheFolder, clearCache, openEngines } from "@db-katas/engines";
import type { Kata } from "@db-katas/grading";
import type { Command } from "commander";
import { examineExercise, formatExercise } from "../doctor/exercises.ts";
import { exitCodeOf, formatFinding } from "../doctor/findings.ts";
import { examineMachine } from "../doctor/machine.ts";
import { findKata, findWorkspace, listKatas } from "../workspace.ts";

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .argument("[katas...]", "default: all of them")
    .description("is this machine ready for the exercises, and if not, what to type")
    .option(
      "--clear-cache",
      "delete everything that was fetched or prepared; it is made again when needed",
    )
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      "\nIt starts and fetches nothing. What it prints can be pasted into an issue." +
        "\nExit codes: 0 ready, 1 fixable by you, 2 needs an administrator",
    )
    .action(async (names: string[], options: { clearCache?: boolean; json?: boolean }) => {
      if (options.clearCache) {
        await clearCache();
        process.stdout.write(`Removed ${cacheFolder()}.\n`);
        return;
      }
      const katas = await chosenKatas(names);
      await using run = await openEngines();
      const machine = await examineMachine();
      const exercises = [];
      for (const kata of katas) exercises.push(await examineExercise(kata, run));
      const exitCode = exitCodeOf([...machine, ...exercises.flatMap(({ findings }) => findings)]);
      process.exitCode = exitCode;
      if (options.json) {
        const report = { ready: exitCode === 0, machine, exercises };
        process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
        return;
      }
      const parts = [
        ["This machine", ...machine.map(formatFinding)].join("\n"),
        ...exercises.map(formatExercise),
        exitCode === 0
          ? "Ready: pnpm kata list"
          : `Not ready yet: see the lines marked ✗${exitCode === 2 ? "; some take an administrator" : ""}.`,
      ];
      process.stdout.write(`${parts.join("\n\n")}\n`);
    });
}

async function chosenKatas(names: readonly string[]): Promise<Kata[]> {
  const workspace = await findWorkspace(process.cwd());
  if (names.length === 0) return listKatas(workspace);
  return Promise.all([...new Set(names)].map((name) => findKata(workspace, name)));
}
