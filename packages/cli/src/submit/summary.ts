import { type Paint, terminalPaint } from "@db-katas/grading";
import Table from "cli-table3";
import { stringify } from "csv-stringify/sync";
import type { Regraded } from "./regrade.ts";
import type { Likeness } from "./similarity.ts";

type Points = NonNullable<Regraded["measured"]>;

/** The line that is told as soon as one is graded. */
export function formatRegraded(each: Regraded, paint: Paint = terminalPaint): string {
  if (each.refused !== undefined) return `  ${paint("red", "refused")}  ${each.refused}`;
  const { name, measured, claimed } = each;
  const told = `  ${name}  ${pointsOf(measured)}`;
  return isOdd(each) ? `${told}  ${paint("yellow", `claimed ${pointsOf(claimed)}`)}` : told;
}

export function formatSummary(
  results: readonly Regraded[],
  likenesses: readonly Likeness[],
): string {
  const table = new Table({
    head: ["name", "claimed", "measured", "differs?", "seed", "time"],
    style: { head: [], border: [] },
    colWidths: [null, null, null, 44],
    wordWrap: true,
  });
  for (const each of results) {
    table.push([
      each.name,
      pointsOf(each.claimed),
      pointsOf(each.measured),
      differenceOf(each),
      String(each.seed ?? "–"),
      each.durationMs === undefined ? "–" : `${(each.durationMs / 1_000).toFixed(1)} s`,
    ]);
  }
  const lines = [table.toString()];
  if (results.some(({ altered }) => altered.length > 0)) {
    lines.push(
      "Altered: a file is not what it was when the bundle was made, as its hashes tell. Who alters a",
      "file can alter its hash as well; only what was measured counts.",
    );
  }
  if (likenesses.length > 0) {
    lines.push(
      "",
      "Alike, beyond what everybody was given (hints, not verdicts: look yourself):",
      ...likenesses.map(
        ({ names: [one, other], share }) =>
          `  ${percent(share).padStart(5)} of the smaller one   ${one} and ${other}`,
      ),
    );
  }
  return lines.join("\n");
}

/** For a spreadsheet, which shall not take a name for a formula. */
export function formatCsv(results: readonly Regraded[], likenesses: readonly Likeness[]): string {
  const rows = results.map((each) => ({
    name: each.name,
    file: each.file,
    kata: each.kata,
    claimed: each.claimed?.earned,
    measured: each.measured?.earned,
    possible: each.measured?.possible,
    total: each.measured?.total,
    differs: each.differs.join(" "),
    altered: each.altered.join(" "),
    refused: each.refused,
    seed: each.seed,
    seconds: each.durationMs === undefined ? undefined : each.durationMs / 1_000,
    alike: likenesses
      .filter(({ names }) => names.includes(each.name))
      .map(({ names, share }) => `${names.find((name) => name !== each.name)} ${percent(share)}`)
      .join("; "),
  }));
  return stringify(rows, { header: true, escape_formulas: true });
}

/** Something for a person to look at. */
export function isOdd({ refused, differs, altered }: Regraded): boolean {
  return refused !== undefined || differs.length > 0 || altered.length > 0;
}

function differenceOf({ refused, differs, altered }: Regraded): string {
  if (refused !== undefined) return refused;
  const parts = [
    ...(differs.length > 0 ? [differs.join(", ")] : []),
    ...(altered.length > 0 ? [`altered: ${altered.join(", ")}`] : []),
  ];
  return parts.join("; ") || "no";
}

function pointsOf(points: Points | undefined): string {
  return points ? `${points.earned} of ${points.possible}` : "–";
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
