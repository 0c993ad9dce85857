import { type Subject, terminalPaint, upperBound95 } from "@db-katas/grading";
import type { SoakEntry } from "./journal.ts";
import type { SoakKind } from "./kind.ts";

/** What is done, what is left, and how often a verdict was not what it has to be. */
export function formatSoak(
  kinds: readonly SoakKind[],
  subjects: readonly Subject[],
  entries: readonly SoakEntry[],
): string {
  const lines = kinds.map((kind) => {
    const done = entries.filter((entry) => entry.kind === kind.name);
    const total = kind.items(subjects).length;
    return `  ${kind.name.padEnd(10)}  ${String(done.length).padStart(4)} of ${total}  ${kind.title}; ${flakeOf(done)}`;
  });
  const flaky = entries.flatMap(({ cells, seed }) => cells.map((cell) => ({ ...cell, seed })));
  return [
    ...lines,
    `  in all: ${flakeOf(entries)}`,
    ...flaky.map(({ subject, check, verdicts, seed }) => {
      const what = Object.keys(verdicts).join(", ");
      return terminalPaint("red", `    ${subject} × ${check}: ${what}, seed ${seed}`);
    }),
    ...entries.flatMap(({ failures }) => failures.map((text) => `    ${text}`)),
  ].join("\n");
}

function flakeOf(entries: readonly SoakEntry[]): string {
  const sum = (of: (entry: SoakEntry) => number) =>
    entries.reduce((total, entry) => total + of(entry), 0);
  const runs = sum((entry) => entry.runs);
  const unexpected = sum((entry) => entry.unexpected);
  if (runs === 0) return "nothing run yet";
  const bound = `${(upperBound95(unexpected, runs) * 100).toPrecision(2)} %`;
  return `${unexpected} of ${runs} check-runs unexpected (95 %: at most ${bound})`;
}
