import type { Paint } from "@db-katas/grading";
import { type Environment, formatFinding, outcomeOf } from "@db-katas/measure";
import type { Moment, Outcome } from "./run.ts";

const looks = {
  "as expected": ["✓", "green"],
  contrary: ["✗", "red"],
  undecided: ["?", "yellow"],
} as const;

/** How far it is, in a line: `3/16  memory-grows: turn 5 of 8, at most 3 min 12 s left`. */
export function formatMoment(id: string, at: Moment, claims: number): string {
  const { done, of, leftMs } = at;
  const seconds = Math.max(0, Math.ceil(leftMs / 1_000));
  const left = `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const rest = Number.isFinite(leftMs) ? `, at most ${left} left` : "";
  return `${at.claims + 1}/${claims}  ${id}: turn ${done} of ${of}${rest}`;
}

/**
 * What became of a claim, for people.
 * @param predicted what was said of it before, if anything
 */
export function formatOutcome(outcome: Outcome, paint: Paint, predicted?: string): string {
  const { kata, claim } = outcome.bound;
  if ("error" in outcome) {
    const { code, message } = outcome.error;
    return indented(
      `${paint("red", "!")} ${kata.name} · ${claim.fields.id}: ${paint("red", code)}`,
      [message],
    );
  }
  const is = outcomeOf(claim.fields, outcome.finding);
  const [mark, colour] = looks[is];
  const [said = "", ...figures] = formatFinding(outcome.finding).split("\n");
  const isFolklore = claim.kind === "measured" && claim.fields.expected === "falsified";
  const but = {
    "as expected": isFolklore ? ", as the log says" : "",
    contrary: isFolklore ? "; the log says falsified" : "",
    undecided: "",
  };
  const before = predicted === undefined ? [] : [`  you had said: ${predicted}`];
  return indented(`${paint(colour, mark)} ${kata.name} · ${said}${but[is]}`, [
    ...figures,
    ...before,
  ]);
}

function indented(first: string, others: readonly string[]): string {
  const lines = others.flatMap((each) => each.split("\n"));
  return [first, ...lines.map((line) => `  ${line}`)].join("\n");
}

/** What the figures hold for, a line each. */
export function formatEnvironment(environments: readonly Environment[]): string {
  const [first] = environments;
  if (!first) return "";
  const { system, arch, cpu, cores, memoryBytes, node } = first;
  const gib = (memoryBytes / 2 ** 30).toFixed(0);
  const engines = environments
    .flatMap((each) => Object.values(each.engines))
    .map(
      ({ engine, version, provider, source }) => `${engine} ${version} (${provider}: ${source})`,
    );
  const machine = `${system}, ${arch}, ${cores} cores (${cpu}), ${gib} GiB, Node ${node}`;
  return [machine, ...[...new Set(engines)].sort()].join("\n");
}

export function formatTotals(outcomes: readonly Outcome[]): string {
  const verdicts = outcomes.map((outcome) =>
    "error" in outcome ? "crashed" : outcome.finding.verdict,
  );
  return ["held", "falsified", "cannot fail", "inconclusive", "not run", "crashed"]
    .map((verdict) => [verdicts.filter((each) => each === verdict).length, verdict] as const)
    .filter(([count, verdict]) => count > 0 || verdict === "held" || verdict === "falsified")
    .map(([count, verdict]) => `${count} ${verdict}`)
    .join(", ");
}

/** See the help of `kata falsify`. */
export function exitCodeOf(outcomes: readonly Outcome[]): number {
  if (outcomes.some((outcome) => "error" in outcome)) return 2;
  const found = outcomes.flatMap((each) => ("finding" in each ? each : []));
  if (found.some(({ bound, finding }) => outcomeOf(bound.claim.fields, finding) === "contrary")) {
    return 1;
  }
  return found.some(({ finding }) => finding.verdict !== "not run") ? 0 : 4;
}
