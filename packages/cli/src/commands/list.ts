import { join } from "node:path";
import { enginesOf, loadRubric, terminalPaint } from "@db-katas/grading";
import Table from "cli-table3";
import type { Command } from "commander";
import { asTypedHere } from "../typed.ts";
import { describeBroken, exists, findWorkspace, surveyKatas } from "../workspace.ts";

export function registerList(program: Command): void {
  program
    .command("list")
    .description("the exercises, and how far you are")
    .option("--json", "as JSON on stdout")
    .action(async (options: { json?: boolean }) => {
      const workspace = await findWorkspace(process.cwd());
      const { katas, broken } = await surveyKatas(workspace, async (kata) => {
        const rubric = await loadRubric(kata, { mayBeEmpty: true });
        return {
          name: kata.name,
          title: kata.definition.title,
          summary: kata.definition.summary,
          level: kata.definition.level,
          minutes: kata.definition.minutes,
          engines: enginesOf(kata.definition),
          checks: rubric.length,
          points: rubric.reduce((sum, check) => sum + check.points, 0),
          started: await exists(join(workspace.root, "attempts", kata.name)),
        };
      });
      process.stderr.write(asTypedHere(describeBroken(broken)));
      if (options.json) {
        process.stdout.write(`${JSON.stringify(katas, null, 2)}\n`);
        return;
      }
      const table = new Table({
        head: ["kata", "what it is", "level", "time", "engines", "checks", "started"],
        style: { head: [], border: [] },
        colWidths: [null, 44],
        wordWrap: true,
      });
      for (const kata of katas) {
        table.push([
          terminalPaint("bold", kata.name),
          kata.summary,
          kata.level,
          `${kata.minutes} min`,
          kata.engines.join(", "),
          `${kata.checks} (${kata.points} points)`,
          kata.started ? "yes" : "",
        ]);
      }
      process.stdout.write(
        asTypedHere(`${table}\n\nStart one: pnpm kata start ${katas[0]?.name ?? "<kata>"}\n`),
      );
    });
}
