import { type Command, InvalidArgumentError, Option } from "commander";
import type { FalsifyOptions } from "../falsify/falsify.ts";
import { parseSeed } from "../session.ts";

export function registerFalsify(program: Command): void {
  program
    .command("falsify")
    .argument("[kata]", "an exercise; default: all")
    .description("put the claims of the decision logs to the test, on this machine's engines")
    .option("--claim <id...>", "only these claims")
    .addOption(
      new Option(
        "--quick",
        "small, and over in about five minutes: is anything about to turn out otherwise?",
      ),
    )
    .addOption(new Option("--full", "at the claims' scale (default)").conflicts("quick"))
    .addOption(
      new Option("--turns <number>", "of each experiment, instead of as many as it says")
        .argParser(parseTurns)
        .conflicts("quick"),
    )
    .option("--list", "only say what is claimed, and when it was last measured")
    .option("--no-write", "leave the logs' last-measured lines as they are")
    .option("--seed <number>", "of what is random in an experiment", parseSeed)
    .option("--json", "the findings as JSON on stdout")
    .option("--html <file>", "a report with plots, in one file")
    .addHelpText(
      "after",
      `
A claim is held or falsified with 95 % confidence, inconclusive where that can't be said, and not run
where an engine is missing. Where checks are the evidence, the reference must pass them and wrong answers
must not: else the claim cannot fail, and is none. A full run writes the logs' last-measured lines, and changes nothing else in
them; a quick one leaves them alone, since it is about smaller data. Other work on this machine shows in
the figures: its load stands beside them.

What is inconclusive says how many turns would tell (--turns). A quick run begins nothing after five minutes: each claim may
take an equal share of what is left, then its experiment ends with fewer turns (five at least), and of
several wrong answers one is asked. What there is no time left for is not run, and says so.

What was measured is kept in <exercise>/.kata/falsify/: raw results, and history.jsonl. After Ctrl-C or
a crash the same command goes on where it was; checks are run again.

Examples:
  kata falsify session-failover --quick
  kata falsify session-failover --html claims.html
  kata falsify session-failover --claim hanging-redis-is-bounded

Exit codes: 0 nothing turned out contrary to its log (also when inconclusive), 1 something did,
2 an error of ours or of an experiment, 4 nothing could be run`,
    )
    .action(async (kata: string | undefined, options: FalsifyOptions) => {
      // Statistics and parsers take time to load: only whoever measures shall wait for them.
      const { falsifyCommand } = await import("../falsify/falsify.ts");
      await falsifyCommand(kata, options);
    });
}

function parseTurns(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000) {
    throw new InvalidArgumentError("It takes a whole number from 1 to 10000.");
  }
  return value;
}
