import type { Command } from "commander";
import type { PredictOptions } from "../predict/predict.ts";

export function registerPredict(program: Command): void {
  program
    .command("predict")
    .argument("[kata|folder]", "a kata's name, or the folder of your attempt; default: this folder")
    .description("say what will be measured before it is, and see how well you knew")
    .option("--check <id=percent...>", "how likely it is that a check passes at its first grade")
    .option("--claim <id=verdict...>", "held:70 or falsified:70, of a claim in the decision log")
    .option("--figure <id=range...>", "0.5..2: nine times of ten, the claim's figure is in there")
    .option("--list", "what can be predicted, what you have said, and what came of it")
    .option("--score", "how well you knew, over all exercises or one: Brier score, calibration")
    .option("--html [file]", "with --score: as a page with plots (default: .kata/predictions.html)")
    .option("--kata <name>", "the kata, where the folder doesn't tell")
    .option("--json", "as JSON on stdout")
    .addHelpText(
      "after",
      `
Without flags it asks, in a terminal; Enter leaves a question open, Ctrl-C ends it and what was said is
kept. What counts is the last that you say before something is first measured: a check by \`kata grade\`,
with code that loads and whose task is written, a claim by \`kata falsify\`. What you say later is kept and
not counted. Nothing leaves your machine: it is in <attempt>/.kata/.

Examples:
  kata predict session-failover
  kata predict session-failover --check redis-killed=80 redis-hangs=35
  kata predict session-failover --claim ten-times-faster=falsified:70 --figure ten-times-faster=0.5..4
  kata predict --score --html`,
    )
    .action(async (target: string | undefined, options: PredictOptions) => {
      // Statistics and parsers take time to load: only whoever predicts shall wait for them.
      const { predictCommand } = await import("../predict/predict.ts");
      await predictCommand(target, options);
    });
}
