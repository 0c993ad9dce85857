import type { Command } from "commander";
import type { RetroOptions } from "../retro/retro.ts";

export function registerRetro(program: Command): void {
  program
    .command("retro")
    .argument("[kata|folder]", "a kata's name, or the folder of your attempt; default: this folder")
    .description("what you got wrong, from your grades and predictions, with a place for why")
    .option("--kata <name>", "the kata, where the folder doesn't tell")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
It writes WHAT-I-GOT-WRONG.md into the attempt: each check that has failed and each prediction that was
wrong, the surest wrong first. Run it again, and what it wrote between its marks is brought up to date,
what is new is added at the end, and every word of yours stays where it is.`,
    )
    .action(async (target: string | undefined, options: RetroOptions) => {
      const { retroCommand } = await import("../retro/retro.ts");
      await retroCommand(target, options);
    });
}
