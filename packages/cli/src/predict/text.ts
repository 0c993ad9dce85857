import type { Paint } from "@db-katas/grading";
import { formatQuantity, parseUnit } from "@db-katas/measure";
import Table from "cli-table3";
import { percent } from "./percent.ts";
import type { Question } from "./questions.ts";
import { type Bin, FEWEST, type Score, type Share } from "./score.ts";
import type { Standing } from "./standings.ts";

const ASKED = {
  check: "Will it pass at its first grade?",
  claim: "Will it hold?",
  figure: "What will be measured? (a range, with 90 %)",
} as const;

/** All that can be predicted, what was said of it, and what came of that. */
export function formatQuestions(
  questions: readonly Question[],
  standings: readonly Standing[],
  paint: Paint,
): string {
  const groups = Map.groupBy(questions, ({ about }) => about);
  const width = Math.max(...questions.map(({ id }) => id.length));
  const blocks = [...groups].map(([about, asked]) =>
    [
      paint("bold", ASKED[about]),
      ...asked.map(({ id, asks }) => {
        const standing = standings.find((each) => each.about === about && each.id === id);
        const said = standing && sayStanding(standing);
        const below = said ? `\n  ${" ".repeat(width)}  ${paint("cyan", said)}` : "";
        return `  ${id.padEnd(width)}  ${asks}${below}`;
      }),
    ].join("\n"),
  );
  return `${blocks.join("\n\n")}\n`;
}

/** `80 %; failed on 2026-11-22`; undefined where nothing was said, and nothing measured. */
export function sayStanding(standing: Standing): string | undefined {
  const { measurement, late } = standing;
  const said = saidOf(standing);
  const came = cameOf(standing);
  const parts = [
    ...(said ? [said] : []),
    ...(came ? [`${came} on ${measurement?.outcome?.at.slice(0, 10)}`] : []),
    ...(measurement && !came ? ["measured, and not decided yet"] : []),
    ...(late > 0 ? [`${late} said too late to count`] : []),
  ];
  return parts.length > 0 ? parts.join("; ") : undefined;
}

/** What counts, as the person would say it; undefined where nothing was said in time. */
export function saidOf(standing: Standing): string | undefined {
  if (!standing.prediction) return undefined;
  if (standing.about !== "figure") {
    const likely = percent(standing.prediction.probability);
    return standing.about === "claim" ? `${likely} that it holds` : likely;
  }
  const { low, high, unit } = standing.prediction;
  const { dimension, factor } = parseUnit(unit);
  const upper = formatQuantity(high, dimension, unit);
  return `${Number((low / factor).toPrecision(6))} … ${upper}`;
}

function cameOf({ about, measurement }: Standing): string | undefined {
  const { said, figureSaid } = measurement?.outcome ?? {};
  return about === "figure" ? figureSaid : said;
}

/** How well somebody has known, as far as so few can tell. */
export function formatScore(score: Score, paint: Paint): string {
  return [...forecastsOf(score, paint), ...rangesOf(score)].join("\n");
}

function forecastsOf(score: Score, paint: Paint): string[] {
  const { count, came, brier, brierOfBaseRate, bins, overTime } = score;
  if (count === 0) return ["No prediction with a probability has been decided yet."];
  const rate = percent(came / count);
  const figures = [
    `  Brier score       ${brier.toFixed(3)}   0 is sure and right, 0.25 is 50 % each time, 1 is sure and wrong`,
    `  of the base rate  ${brierOfBaseRate.toFixed(3)}   ${rate} each time, by somebody who knew beforehand that so many come true`,
  ];
  return [
    paint("bold", `${many(count, "prediction")} decided, ${came} came true`),
    ...figures,
    `  ${verdictOf(score)}`,
    "",
    tableOf(
      ["said", "times", "came true", "true share, with 95 %"],
      bins.map((bin) => [
        rangeOf(bin),
        String(bin.count),
        `${bin.came} (${percent(bin.came / bin.count)})`,
        intervalOf(bin),
      ]),
    ),
    "",
    tableOf(
      ["measured on", "exercise", "times", "Brier"],
      overTime.map(({ day, kata, count, brier }) => [day, kata, String(count), brier.toFixed(3)]),
    ),
  ];
}

/** What can be said with 95 % confidence, which is often: nothing. */
export function verdictOf({ count, advantage }: Score): string {
  if (!advantage) return `${many(count, "prediction")}: too few to tell (fewer than ${FEWEST})`;
  const { low, high } = advantage;
  const by = `${low.toFixed(3)} … ${high.toFixed(3)}`;
  if (low > 0) return `Better than the base rate, by ${by} (95 %)`;
  if (high < 0) return `Worse than the base rate: a difference of ${by} (95 %)`;
  return `Neither better nor worse than the base rate, as far as can be told: ${by} (95 %)`;
}

function rangesOf({ ranges }: Score): string[] {
  const { count, came } = ranges;
  if (count === 0) return [];
  const few = count < FEWEST ? "; too few to tell" : "";
  const text = `${many(count, "range")} that should hold the figure with 90 %: ${came} did (${percent(came / count)}, 95 %: ${intervalOf(ranges)}${few})`;
  return ["", text];
}

/** What was said is a whole number of percent: 20 to 39, and 80 to 100. */
export function rangeOf({ from, to }: Pick<Bin, "from" | "to">): string {
  return `${Math.round(from * 100)} – ${Math.round(to * 100) - (to < 1 ? 1 : 0)} %`;
}

export function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function intervalOf({ low, high }: Share): string {
  return `${percent(low)} … ${percent(high)}`;
}

function tableOf(head: string[], rows: string[][]): string {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}
