import {
  type CheckResult,
  exitCodeOf,
  type GradeOptions,
  grade,
  MARKS,
  onlyThese,
  type Paint,
  type Scorecard,
  terminalPaint,
} from "@db-katas/grading";
import type { Progress } from "./output.ts";

/**
 * Runs one check again and again with one seed, to learn how surely its failure comes back.
 * @returns the worst exit code of all
 */
export async function replay(
  options: Omit<GradeOptions, "only"> & { readonly check: string },
  times: number,
  progress: Progress,
): Promise<number> {
  const { kata, submission, check, seed } = options;
  const title = `${kata.name} · ${submission.label} · ${check}, ${times} times with seed ${seed}`;
  progress.line(terminalPaint("bold", title));
  const rubric = onlyThese(options.rubric, [check]);
  const results: CheckResult[] = [];
  const cards: Scorecard[] = [];
  using _stop = { [Symbol.dispose]: () => progress.stop() };
  while (cards.length < times) {
    progress.update(`${cards.length}/${times}`);
    const card = await grade({ ...options, rubric });
    cards.push(card);
    results.push(...card.checks);
  }
  progress.stop();
  progress.line(formatReplay(results, terminalPaint));
  return exitCodeOf({ ...cards[0], checks: results } as Scorecard);
}

/** How often a check did not pass, and in which ways. */
export function formatReplay(results: readonly CheckResult[], paint: Paint): string {
  const marks = results.map(({ verdict }) => paint(MARKS[verdict].style, MARKS[verdict].mark));
  const lines = [`  ${marks.join("")}`, ""];
  const ways = Map.groupBy(
    results.filter(({ verdict }) => verdict !== "passed"),
    (result) => `${result.verdict}: ${result.failure?.message ?? result.reason ?? ""}`,
  );
  const lost = [...ways.values()].reduce((sum, { length }) => sum + length, 0);
  lines.push(
    lost === 0
      ? `  ${paint("green", `passed ${results.length} of ${results.length}`)}`
      : `  ${paint("red", `did not pass ${lost} of ${results.length}`)}`,
  );
  for (const [way, alike] of [...ways].sort(([, a], [, b]) => b.length - a.length)) {
    lines.push(`    ${alike.length} × ${way}`);
    const { expected, received } = alike[0]?.failure ?? {};
    if (expected !== undefined) lines.push(`        expected  ${expected}`);
    if (received !== undefined) lines.push(`        received  ${received}`);
  }
  return lines.join("\n");
}
