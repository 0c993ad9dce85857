import { join } from "node:path";
import {
  type CheckResult,
  composeMutant,
  enginesOf,
  findSubmission,
  formatFailure,
  grade,
  type Kata,
  loadMutants,
  loadRubric,
  type Submission,
  terminalPaint,
} from "@db-katas/grading";
import Table from "cli-table3";
import type { Command } from "commander";
import prettyBytes from "pretty-bytes";
import { CliError } from "../errors.ts";
import { type Progress, startProgress } from "../output.ts";
import { chooseSeed, openSession, parseSeed, type Session } from "../session.ts";
import { scaffoldAndVerify } from "../tour-scaffold.ts";
import { findKata, findWorkspace } from "../workspace.ts";

const KATA = "session-failover";
/** The answer that most of us would write first, and that the guide itself suggests. */
const NAIVE = "redis-first";
const CHECKS = ["redis-killed", "redis-hangs", "logout-during-outage"];

export function registerTour(program: Command): void {
  program
    .command("tour")
    .description("what `pnpm start` runs: a right and a naive answer meet a Redis that fails")
    .option("--seed <number>", "replay what another run saw", parseSeed)
    .action(async (options: { seed?: number }) => {
      const workspace = await findWorkspace(process.cwd());
      const kata = await findKata(workspace, KATA);
      const progress = startProgress();
      const seed = chooseSeed(options.seed);
      await using session = await openSession(progress);
      await announceEngines(kata, session, progress);
      const surprises = [
        ...(await compare(kata, session, progress, seed)),
        ...(await scaffoldAndVerify(workspace, session, progress, seed)),
      ];
      progress.stop();
      process.stdout.write(nextSteps(kata));
      for (const surprise of surprises) process.stderr.write(`${surprise}\n`);
      process.exitCode = surprises.length > 0 ? 2 : 0;
    });
}

async function announceEngines(kata: Kata, session: Session, progress: Progress): Promise<void> {
  progress.line(terminalPaint("bold", "1. Real engines, on this machine"));
  for (const name of enginesOf(kata.definition)) {
    const { chosen } = await session.engines.probe(name);
    const fetched = chosen?.fetch
      ? `; fetching ${chosen.fetch.what}, about ${prettyBytes(chosen.fetch.bytes)}`
      : "";
    progress.line(
      chosen
        ? `   ${name} ${chosen.version ?? ""}: ${chosen.source}${fetched}`
        : `   ${name}: not to be had here (pnpm kata engines status says why)`,
    );
  }
}

/** @returns what should not have happened; empty when reference and mutant did as they must */
async function compare(
  kata: Kata,
  session: Session,
  progress: Progress,
  seed: number,
): Promise<string[]> {
  const rubric = await loadRubric(kata);
  const mutant = (await loadMutants(kata, rubric)).find(({ name }) => name === NAIVE);
  if (!mutant) throw new CliError("TARGET_UNCLEAR", `${kata.name} has no mutant "${NAIVE}".`);
  progress.line("");
  progress.line(
    terminalPaint(
      "bold",
      "2. Two answers to the same exercise, while Redis is killed, paused and brought back",
    ),
  );
  progress.line(`   reference  the solution that ships with ${kata.name}`);
  progress.line(`   naive      ${mutant.why}`);
  progress.line("");

  const columns = ["reference", "naive"] as const;
  const submissions: Record<(typeof columns)[number], Submission> = {
    reference: await findSubmission(join(kata.folder, "src"), "reference"),
    naive: await composeMutant(kata, mutant),
  };
  progress.update("grading both");
  const graded = await Promise.all(
    columns.map((column) =>
      grade({
        kata,
        rubric,
        submission: submissions[column],
        engines: session.engines,
        seed,
        only: CHECKS,
        concurrency: 1,
        target: `${kata.name} ${column === "reference" ? "--reference" : `--mutant ${NAIVE}`}`,
        compileCache: session.compileCache,
        signal: session.signal,
        onStart: (check) => progress.update(`${column}: ${check.title}`),
      }),
    ),
  );
  const table = new Table({
    head: ["check", ...columns],
    style: { head: [], border: [] },
    colWidths: [44, 14, 52],
    wordWrap: true,
  });
  const [reference = [], naive = []] = graded.map(({ checks }) =>
    checks.filter(({ id }) => CHECKS.includes(id)),
  );
  for (const [index, right] of reference.entries()) {
    const wrong = naive[index];
    if (wrong) table.push([right.title, cell(right), cell(wrong)]);
  }
  progress.line(`${table}`);
  const telling = naive.find((check) => check.failure);
  if (telling) {
    progress.line("\n   What the grader saw of the naive answer, in the first of these:\n");
    progress.line(formatFailure(telling, terminalPaint));
  }
  return [
    ...reference
      .filter(({ verdict }) => verdict !== "passed")
      .map(
        (check) => `The reference did not pass ${check.id}. Please report this: ${check.replay}`,
      ),
    ...(naive.every(({ verdict }) => verdict === "passed")
      ? ["The naive answer passed everything. Please report this."]
      : []),
  ];
}

function cell(check: CheckResult): string {
  if (check.verdict === "passed") return terminalPaint("green", "✓ passed");
  const why = check.failure?.received ?? check.failure?.message ?? check.reason ?? "";
  return `${terminalPaint("red", `✗ ${check.verdict}`)}  ${why}`;
}

function nextSteps(kata: Kata): string {
  return `
${terminalPaint("bold", "4. Your turn")}
   pnpm kata start ${kata.name}             your own copy, in attempts/${kata.name}/
   pnpm kata grade ${kata.name} --watch     graded at every save
   pnpm kata hint ${kata.name}              when a check won't pass
   pnpm kata verify ${kata.name}            the grader itself, graded by its wrong answers
   pnpm kata new my-exercise --engines postgres   an exercise of your own
(no pnpm on this machine? npx -y pnpm@12.21.0 kata …)
`;
}
