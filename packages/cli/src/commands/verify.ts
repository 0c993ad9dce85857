import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  changedFiles,
  changedSubjects,
  DRAWN_PER_CHECK,
  formatFlake,
  formatMatrix,
  type Kata,
  killMatrix,
  loadRubric,
  pickSubjects,
  type Subject,
  sampleMutants,
  terminalPaint,
  VARIANTS_PER_CHECK,
  VERIFY_CONCURRENCY,
  VERIFY_CONCURRENCY_IDLE,
  type VerifyResult,
  verify,
  withDependencies,
  withMatrix,
} from "@db-katas/grading";
import { type Command, InvalidArgumentError, Option } from "commander";
import { startProgress } from "../output.ts";
import { writeJson } from "../results.ts";
import { chooseSeed, openSession, parseSeed } from "../session.ts";
import { allAsTypedHere } from "../typed.ts";
import { findWorkspace, resolveTarget } from "../workspace.ts";
import { parseConcurrency } from "./grade.ts";

interface VerifyOptions {
  readonly draw?: boolean;
  readonly full?: boolean;
  readonly allVariants?: boolean;
  readonly write?: boolean;
  readonly repeat: number;
  readonly only?: string[];
  readonly check?: string[];
  readonly changed?: string | true;
  readonly sample?: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly concurrency?: number;
}

export function registerVerify(program: Command): void {
  program
    .command("verify")
    .argument("[kata|folder]", "a kata's name, or its folder; default: this folder")
    .description("grade the grader: reference, starter, variants and mutants")
    .addOption(
      new Option(
        "--draw",
        "each check against one variant and one of its mutants, drawn by the seed: what `pnpm test` asks",
      ).conflicts(["full", "allVariants", "write", "only", "check", "changed", "sample"]),
    )
    .option("--full", "each mutant against every check: the kill matrix")
    .option("--all-variants", "each check against every variant, not two drawn by the seed")
    .addOption(
      new Option("--write", "the kill matrix into the kata's README, between its markers")
        .implies({ full: true })
        .conflicts(["only", "check", "changed", "sample"]),
    )
    .option("--repeat <n>", "each check so often, with seeds of their own: flake", parseCount, 1)
    .option("--only <name...>", "only these, by name; variants and mutants are all of them")
    .option("--check <id...>", "only these checks")
    .addOption(
      new Option(
        "--changed [commit]",
        "only whom changes since that commit concern (HEAD)",
      ).conflicts("only"),
    )
    .option("--sample <n>", "and so many of the other mutants, drawn by the seed", parseCount)
    .option("--seed <number>", "replay what another run saw", parseSeed)
    .option(
      "--concurrency <n>",
      `checks at the same moment (default: ${VERIFY_CONCURRENCY}, up to ${VERIFY_CONCURRENCY_IDLE} while cores are idle)`,
      parseConcurrency,
    )
    .option("--json", "the results as JSON on stdout")
    .addHelpText(
      "after",
      `
Without --full a mutant meets only the checks that it must fail, and a check meets only two of the
variants, drawn by the seed, unless you name whom you want (--only, --changed), checks (--check), or
repetitions. With --draw a check meets only one variant and one of its mutants, drawn by the seed; all of
them are type-checked.
Checks that measure time run after all others, two at a time.

Examples:
  kata verify session-failover                          in a minute: does all hold?
  kata verify session-failover --all-variants           every right answer meets every check
  kata verify session-failover --draw --seed 4711       what the gate has asked, once more
  kata verify session-failover --full --write           the kill matrix, into the README
  kata verify session-failover --only reference --repeat 20
  kata verify session-failover --changed origin/main --sample 1

Exit codes: 0 all holds, 1 something does not, 2 an error of ours, 4 nothing could be graded`,
    )
    .action(run);
}

async function run(target: string | undefined, options: VerifyOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const { kata } = await resolveTarget(workspace, target, { reference: true }, process.cwd());
  const rubric = await loadRubric(kata, { mayBeEmpty: true });
  // Says it at once when there is no such check.
  if (options.check) withDependencies(rubric, options.check);
  const seed = chooseSeed(options.seed);
  const startedAt = new Date();
  const progress = startProgress({ quiet: options.json === true });
  await using session = await openSession(progress);
  progress.line(terminalPaint("bold", `verify ${kata.name} · seed ${seed}`));
  const { results, warnings, graded, notDrawn } = await verify({
    kata,
    rubric,
    engines: session.engines,
    seed,
    choose: (subjects) => chooseSubjects(kata, subjects, options, seed),
    checks: options.check,
    full: options.full === true,
    strict: (options.allVariants || options.draw) === true && !options.write,
    variantsPerCheck: variantsPerCheck(options),
    mutantsPerCheck: options.draw ? DRAWN_PER_CHECK : undefined,
    repeat: options.repeat,
    compileCache: session.compileCache,
    concurrency: options.concurrency,
    signal: session.signal,
    onProgress: (done, total, text) => progress.update(`${done}/${total}  ${text}`),
    onResult: (result) => progress.line(formatResult(result)),
  });
  progress.stop();
  const counts = countOf(results);
  const matrix = killMatrix({ kata, rubric, graded, seed, repeat: options.repeat, startedAt });
  const reports = join(kata.folder, ".kata", "report");
  const found = allAsTypedHere({ results, warnings, notDrawn });
  await writeJson(join(reports, "verify.json"), { ...counts, seed, ...found });
  if (options.full) {
    await writeJson(join(reports, "kill-matrix.json"), matrix);
    progress.line(`\n${formatMatrix(matrix, terminalPaint)}`);
  }
  if (options.full || options.repeat > 1) progress.line(`\n${formatFlake(matrix)}`);
  if (options.write && counts.failed === 0) {
    const readme = join(kata.folder, "README.md");
    await writeFile(readme, withMatrix(await readFile(readme, "utf8"), matrix));
  }
  if (options.json)
    process.stdout.write(`${JSON.stringify({ seed, ...found, matrix }, null, 2)}\n`);
  for (const warning of warnings) progress.line(`  ${terminalPaint("yellow", "⚠")} ${warning}`);
  if (notDrawn.length > 0) progress.line(`\n${formatNotDrawn(kata, notDrawn.length)}`);
  progress.line(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed > 0 ? 1 : counts.passed === 0 ? 4 : 0;
}

/** Whoever says what to verify gets all of that: undefined. */
function variantsPerCheck(options: VerifyOptions): number | undefined {
  const { draw, full, allVariants, only, changed, check, repeat } = options;
  if (draw) return DRAWN_PER_CHECK;
  const isSpecific = full || allVariants || only || changed || check || repeat > 1;
  return isSpecific ? undefined : VARIANTS_PER_CHECK;
}

async function chooseSubjects(
  kata: Kata,
  subjects: readonly Subject[],
  { only, changed, sample = 0 }: VerifyOptions,
  seed: number,
): Promise<readonly Subject[]> {
  if (!only && !changed) return sample ? sampleMutants(subjects, [], sample, seed) : subjects;
  const since = changed === true ? "HEAD" : changed;
  const chosen = since
    ? await changedSubjects(kata, subjects, await changedFiles(kata.folder, since))
    : pickSubjects(subjects, only ?? []);
  return [...chosen, ...sampleMutants(subjects, chosen, sample, seed)];
}

function formatNotDrawn({ name }: Kata, count: number): string {
  const who = count === 1 ? "1 mutant is" : `${count} mutants are`;
  return `${who} not drawn by this seed, and only type-checked: pnpm kata verify ${name} grades all`;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError("It takes a whole number from 1 on.");
  }
  return value;
}

function countOf(results: readonly VerifyResult[]) {
  return {
    passed: results.filter((result) => result.holds && !result.notGraded).length,
    failed: results.filter((result) => !result.holds).length,
    skipped: results.filter((result) => result.holds && result.notGraded).length,
  };
}

function formatResult(result: VerifyResult): string {
  const isLate = (result.tries ?? 1) > 1;
  const mark = !result.holds
    ? terminalPaint("red", "✗")
    : result.notGraded
      ? terminalPaint("yellow", "?")
      : isLate
        ? terminalPaint("yellow", "⚠")
        : terminalPaint("green", "✓");
  const seconds = `${(result.durationMs / 1_000).toFixed(1)} s`.padStart(7);
  const missing = result.notGraded
    ? terminalPaint("yellow", ` (not graded: ${result.notGraded})`)
    : "";
  const tries =
    result.holds && isLate
      ? terminalPaint("yellow", ` (at try ${result.tries}; --repeat tells how often)`)
      : "";
  return [
    `  ${mark} ${terminalPaint("gray", seconds)}  ${result.subject}: ${result.expectation}${missing}${tries}`,
    ...result.problems.map((problem) => `        ${problem}`),
  ].join("\n");
}
