import { join, relative } from "node:path";
import { createAttempt, installPackages } from "@db-katas/generators";
import type { Command } from "commander";
import { startProgress } from "../output.ts";
import { asTypedHere } from "../typed.ts";
import { findKata, findWorkspace } from "../workspace.ts";

export function registerStart(program: Command): void {
  program
    .command("start")
    .argument("<kata>", "pnpm kata list names them")
    .description("make your own copy of an exercise, from its starter, in attempts/")
    .option("--no-install", "don't install the attempt's packages")
    .option("--json", "as JSON on stdout")
    .action(async (name: string, options: { install: boolean; json?: boolean }) => {
      const workspace = await findWorkspace(process.cwd());
      const kata = await findKata(workspace, name);
      const folder = await createAttempt({
        name: kata.name,
        exercise: kata.folder,
        root: workspace.root,
      });
      const progress = startProgress({ quiet: options.json === true });
      if (options.install) {
        progress.update("installing its packages");
        await installPackages(workspace.root).finally(() => progress.stop());
      }
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ kata: kata.name, folder }, null, 2)}\n`);
        return;
      }
      const shown = relative(process.cwd(), folder);
      process.stdout.write(
        [
          `${kata.definition.title}: your copy is in ${shown}/`,
          "",
          `  read     ${join(shown, "README.md")}       the brief`,
          `  write    ${join(shown, "src", "index.ts")}    what you submit`,
          asTypedHere(`  predict  pnpm kata predict ${kata.name}`),
          asTypedHere(`  grade    pnpm kata grade ${kata.name} --watch`),
          asTypedHere(`  stuck?   pnpm kata hint ${kata.name}`),
          "",
        ].join("\n"),
      );
    });
}
