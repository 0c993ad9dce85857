import type { Paint } from "../report/text.ts";
import { plainPaint } from "../report/text.ts";
import { isKill, type KillMatrix, type MatrixCell, type MatrixRow } from "./matrix.ts";

const LEGEND = [
  "● fails, as it must   ○ fails, as it may   ◐ fails now and then, as it may   · passes",
  "✗ came out other than it has to   – not run: a check that it depends on did not pass   ? not graded",
];

/** Subjects by checks, and what each check alone kills; as wide as the longest name and 3 per check. */
export function formatMatrix(matrix: KillMatrix, paint: Paint = plainPaint): string {
  const { checks, rows } = matrix;
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.join("")}`.trimEnd();
  const head = line(
    "",
    checks.map(({ number }) => String(number).padStart(3)),
  );
  const block = (title: string, kinds: readonly MatrixRow["kind"][]) => {
    const chosen = rows.filter(({ kind }) => kinds.includes(kind));
    if (chosen.length === 0) return [];
    const body = chosen.map(({ name, cells }) =>
      line(
        `  ${name}`.padEnd(width),
        checks.map(({ id }) => `  ${symbolOf(cells[id], paint)}`),
      ),
    );
    return [paint("bold", title), ...body];
  };
  return [
    paint("gray", head),
    ...block("right answers", ["reference", "variant"]),
    ...block("starter", ["starter"]),
    ...block("mutants", ["mutant"]),
    "",
    ...LEGEND.map((text) => paint("gray", text)),
    "",
    ...formatKills(matrix, paint),
  ].join("\n");
}

/** One line on how often a verdict was not what it has to be. */
export function formatFlake({ flake, repeat }: KillMatrix): string {
  const { runs, unexpected, upperBound95 } = flake;
  const bound = `${(upperBound95 * 100).toPrecision(2)} %`;
  const times = repeat === 1 ? "once" : `${repeat} times`;
  const lines = [
    `flake: ${unexpected} of ${runs} check-runs (each ${times}) came out other than they have to; ` +
      `with 95 % confidence at most ${bound} do`,
    ...flake.cells.map(
      ({ subject, check, verdicts }) =>
        `  ${subject} × ${check}: ${Object.entries(verdicts)
          .map(([verdict, count]) => `${count} ${verdict}`)
          .join(", ")}`,
    ),
  ];
  return lines.join("\n");
}

function formatKills({ checks }: KillMatrix, paint: Paint): string[] {
  const width = Math.max(...checks.map(({ id }) => id.length), "check".length);
  const row = (number: string, id: string, count: string, only: string) =>
    `${number.padStart(3)}  ${id.padEnd(width)}  ${count.padStart(5)}  ${only}`.trimEnd();
  return [
    paint("gray", row("#", "check", "kills", "killed by no other check")),
    ...checks.map(({ number, id, killedBy, onlyKills }) =>
      row(String(number), id, String(killedBy), onlyKills.join(", ") || paint("yellow", "none")),
    ),
  ];
}

function symbolOf(cell: MatrixCell | undefined, paint: Paint): string {
  if (!cell) return " ";
  const { verdicts } = cell;
  if (cell.unexpected > 0) return paint(["red", "bold"], "✗");
  if (isKill(cell)) {
    return cell.expected === "fail" ? paint("green", "●") : paint("cyan", "○");
  }
  if (verdicts["not graded"]) return paint("yellow", "?");
  if (verdicts.failed || verdicts.crashed || verdicts["timed out"]) return paint("cyan", "◐");
  return paint("gray", verdicts.passed ? "·" : "–");
}
