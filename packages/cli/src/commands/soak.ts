import { freshSeed, loadRubric, loadSubjects, terminalPaint } from "@db-katas/grading";
import { type Command, InvalidArgumentError, Option } from "commander";
import { startProgress } from "../output.ts";
import { openSession } from "../session.ts";
import { Journal, type SoakEntry, sourcesOf } from "../soak/journal.ts";
import type { SoakKind } from "../soak/kind.ts";
import { matrix } from "../soak/matrix.ts";
import { reference } from "../soak/reference.ts";
import { formatSoak } from "../soak/summary.ts";
import { findWorkspace, resolveTarget } from "../workspace.ts";

const KINDS: readonly SoakKind[] = [reference, matrix];

interface SoakOptions {
  readonly kind?: string[];
  readonly hours?: number;
  readonly runs?: number;
  readonly status?: boolean;
}

export function registerSoak(program: Command): void {
  program
    .command("soak")
    .argument("[kata|folder]", "a kata's name, or its folder; default: this folder")
    .description("grade the grader for hours, and go on where it was ended")
    .addOption(
      new Option("--kind <name...>", "only this work").choices(KINDS.map(({ name }) => name)),
    )
    .option("--hours <n>", "end after so many hours", parsePositive)
    .option("--runs <n>", "end after so many work items", parsePositive)
    .option("--status", "only say what is done and what is left")
    .addHelpText(
      "after",
      `
Every finished item is a line of <kata>/.kata/soak/work.jsonl. Ctrl-C or kill -9 costs the item
under way; the same command goes on after the last one. Results count for the sources they were
made with: after a change, everything is to do again.

Exit codes: 0 nothing unexpected so far, 1 something was, 2 an error of ours`,
    )
    .action(soak);
}

async function soak(target: string | undefined, options: SoakOptions): Promise<void> {
  const workspace = await findWorkspace(process.cwd());
  const { kata } = await resolveTarget(workspace, target, { reference: true }, process.cwd());
  const rubric = await loadRubric(kata);
  const subjects = await loadSubjects(kata, rubric);
  const sources = await sourcesOf(workspace.root, kata.folder);
  const journal = new Journal(kata.folder);
  const entries = (await journal.read()).filter((entry) => entry.sources === sources);
  const kinds = KINDS.filter(({ name }) => options.kind?.includes(name) ?? true);
  const progress = startProgress();
  progress.line(terminalPaint("bold", `soak ${kata.name} · sources ${sources}`));
  if (!options.status) {
    const end = Date.now() + (options.hours ?? Number.POSITIVE_INFINITY) * 3_600_000;
    const left = todo(kinds, subjects, entries).slice(0, options.runs);
    await using session = await openSession(progress);
    for (const { kind, item } of left) {
      if (Date.now() >= end || session.signal.aborted) break;
      progress.update(`${kind.name}: ${item}`);
      const seed = freshSeed();
      const begin = performance.now();
      const outcome = await kind.run(item, seed, { kata, rubric, subjects, session });
      const durationMs = Math.round(performance.now() - begin);
      const at = new Date().toISOString();
      const entry = { at, sources, kind: kind.name, item, seed, durationMs, ...outcome };
      await journal.append(entry);
      entries.push(entry);
      progress.line(formatEntry(entry));
    }
  }
  progress.stop();
  progress.line(`\n${formatSoak(kinds, subjects, entries)}`);
  process.exitCode = entries.some(({ unexpected }) => unexpected > 0) ? 1 : 0;
}

function todo(
  kinds: readonly SoakKind[],
  subjects: Parameters<SoakKind["items"]>[0],
  entries: readonly SoakEntry[],
): { kind: SoakKind; item: string }[] {
  const done = new Set(entries.map(({ kind, item }) => `${kind}/${item}`));
  return kinds.flatMap((kind) =>
    kind
      .items(subjects)
      .filter((item) => !done.has(`${kind.name}/${item}`))
      .map((item) => ({ kind, item })),
  );
}

function formatEntry({ kind, item, seed, durationMs, runs, unexpected, cells }: SoakEntry): string {
  const mark = unexpected > 0 ? terminalPaint("red", "✗") : terminalPaint("green", "✓");
  const seconds = `${(durationMs / 1_000).toFixed(1)} s`.padStart(7);
  const what = cells.map(({ subject, check }) => `${subject} × ${check}`).join(", ");
  const problem = unexpected > 0 ? `, ${unexpected} unexpected: ${what}` : "";
  return `  ${mark} ${terminalPaint("gray", seconds)}  ${kind}: ${item}, ${runs} check-runs${problem} · seed ${seed}`;
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("It takes a number above 0.");
  return value;
}
