import type { Command } from "commander";

/** What `grade` and `hint` can be about, besides one's own attempt. */
export function withTargetOptions(command: Command): Command {
  return command
    .option("--kata <name>", "the kata, where the folder doesn't tell")
    .option("--reference", "the kata's reference solution")
    .option("--starter", "the kata's starter")
    .option("--mutant <name>", "one of the kata's wrong answers")
    .option("--variant <name>", "one of the kata's other right answers");
}
