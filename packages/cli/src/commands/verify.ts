import { join } from "node:path";
import { loadRubric, terminalPaint, type VerifyResult, verify } from "@db-katas/grading";
import type { Command } from "commander";
import { startProgress } from "../output.ts";
import { writeJson } from "../results.ts";
import { chooseSeed, openSession, parseSeed } from "../session.ts";
import { findWorkspace, resolveTarget } from "../workspace.ts";
import { parseConcurrency } from "./grade.ts";

interface VerifyOptions {
  readonly seed?: number;
  readonly json?: boolean;
  readonly concurrency?: number;
}

export function registerVerify(program: Command): void {
  program
    .command("verify")
    .argument("[kata|folder]", "a kata's name, or its folder; default: this folder")
    .description("grade the grader: reference, starter, variants and mutants")
    .option("--seed <number>", "replay what another run saw", parseSeed)
    .option("--concurrency <n>", "checks at the same moment", parseConcurrency)
    .option("--json", "the results as JSON on stdout")
    .addHelpText(
      "after",
      "\nExit codes: 0 all holds, 1 something does not, 2 an error of ours, 4 nothing could be graded",
    )
    .action(async (target: string | undefined, options: VerifyOptions) => {
      const workspace = await findWorkspace(process.cwd());
      const reference = { reference: true };
      const { kata } = await resolveTarget(workspace, target, reference, process.cwd());
      const rubric = await loadRubric(kata);
      const seed = chooseSeed(options.seed);
      const progress = startProgress({ quiet: options.json === true });
      await using session = await openSession(progress);
      progress.line(terminalPaint("bold", `verify ${kata.name} · seed ${seed}`));
      const { results } = await verify({
        kata,
        rubric,
        engines: session.engines,
        seed,
        compileCache: session.compileCache,
        ...(options.concurrency ? { concurrency: options.concurrency } : {}),
        signal: session.signal,
        onProgress: (done, total, text) => progress.update(`${done}/${total}  ${text}`),
        onResult: (result) => progress.line(formatResult(result)),
      });
      progress.stop();
      const counts = countOf(results);
      await writeJson(join(kata.folder, ".kata", "report", "verify.json"), { ...counts, results });
      if (options.json) process.stdout.write(`${JSON.stringify({ seed, results }, null, 2)}\n`);
      else
        progress.line(
          `\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
        );
      process.exitCode = counts.failed > 0 ? 1 : counts.passed === 0 ? 4 : 0;
    });
}

function countOf(results: readonly VerifyResult[]) {
  return {
    passed: results.filter((result) => result.holds && !result.notGraded).length,
    failed: results.filter((result) => !result.holds).length,
    skipped: results.filter((result) => result.holds && result.notGraded).length,
  };
}

function formatResult(result: VerifyResult): string {
  const mark = !result.holds
    ? terminalPaint("red", "✗")
    : result.notGraded
      ? terminalPaint("yellow", "?")
      : terminalPaint("green", "✓");
  const seconds = `${(result.durationMs / 1_000).toFixed(1)} s`.padStart(7);
  const missing = result.notGraded
    ? terminalPaint("yellow", ` (not graded: ${result.notGraded})`)
    : "";
  return [
    `  ${mark} ${terminalPaint("gray", seconds)}  ${result.subject}: ${result.expectation}${missing}`,
    ...result.problems.map((problem) => `        ${problem}`),
  ].join("\n");
}
