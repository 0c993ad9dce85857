import type { Environment } from "../experiment/environment.ts";
import { FEWEST } from "../stats/bootstrap.ts";
import {
  type Comparator,
  type Estimate,
  type Judgement,
  turnsToDecide,
} from "../stats/estimate.ts";
import { type Dimension, formatNumber, formatQuantity, unitFor } from "../units.ts";
import type { ClaimFields } from "./claim.ts";

/** What became of a claim. */
export type Finding = NotRun | Measured | Checked;

export interface NotRun {
  readonly id: string;
  readonly verdict: "not run";
  /** What it would take, for people. */
  readonly needs: string;
}

export interface Measured {
  readonly kind: "measured";
  readonly id: string;
  readonly verdict: Judgement;
  readonly comparisons: readonly Compared[];
  readonly conditions: readonly Compared[];
  /** At each size, where there are several. */
  readonly turns: number;
  /** Of the last results. */
  readonly environment: Environment;
}

/** What checks said of the reference, and of wrong answers. */
export interface Checked {
  readonly kind: "checked";
  readonly id: string;
  /** `cannot fail`: the reference passed, and so did a wrong answer that was to fail. */
  readonly verdict: "held" | "falsified" | "cannot fail";
  /** Of the reference, each as often, with seeds of its own. */
  readonly checks: readonly { readonly id: string; readonly passed: number; readonly of: number }[];
  /** By which check each was told from the reference; absent for one that passed them all. */
  readonly mutants: readonly { readonly name: string; readonly failed?: string }[];
  /** Wrong answers that there was no time for. */
  readonly untried?: readonly string[];
  readonly environment: Environment;
}

/** @param found as {@link Checked} has it */
export function checked(found: Omit<Checked, "kind" | "verdict">): Checked {
  const passed = found.checks.every(({ passed, of }) => passed === of);
  const told = found.mutants.every(({ failed }) => failed !== undefined);
  return {
    kind: "checked",
    verdict: passed ? (told ? "held" : "cannot fail") : "falsified",
    ...found,
  };
}

/** One comparison of a predicate, measured. */
export interface Compared {
  /** As it stands in the predicate. */
  readonly text: string;
  readonly judgement: Judgement;
  /**
   * - `ratio` of the left side to the right, in a typical turn; `difference` where one was zero.
   * - `value`: of one side, over all turns; the other is a number.
   * - `exponent` of growth.
   */
  readonly kind: "ratio" | "difference" | "value" | "exponent";
  /** In base units: seconds, bytes. */
  readonly estimate: Estimate;
  /** What the estimate is compared with: 1 for a ratio, 0 for a difference. */
  readonly comparator: Comparator;
  readonly bound: number;
  /** Of the estimate. */
  readonly dimension: Dimension;
  /** Both sides over all turns, in base units; absent for growth. */
  readonly sides?: { readonly left: number; readonly right: number; readonly dimension: Dimension };
  /** Why it is inconclusive although the interval alone would decide. */
  readonly note?: string;
}

/** `ratio 0.31 (0.28 … 0.36)` */
export function formatEstimate({ kind, estimate, dimension }: Compared): string {
  const unit = unitFor(estimate.value, dimension);
  const [value, low, high] = [estimate.value, estimate.low, estimate.high].map((each) =>
    formatQuantity(each, dimension, unit),
  );
  const bare = unit === "" ? [low, high] : [low, high].map((each) => each?.split(" ")[0]);
  const range = Number.isNaN(estimate.low) ? "too few turns for an interval" : bare.join(" … ");
  return `${kind === "value" ? "" : `${kind} `}${value} (${range})`;
}

/** Whether a finding is what its claim expects, or the contrary; neither where it was not decided. */
export function outcomeOf(
  fields: ClaimFields,
  { verdict }: Finding,
): "as expected" | "contrary" | "undecided" {
  const expected = ("expected" in fields && fields.expected) || "held";
  if (verdict === "inconclusive" || verdict === "not run") return "undecided";
  return verdict === expected ? "as expected" : "contrary";
}

/** For people, a line for each comparison. */
export function formatFinding(finding: Finding): string {
  if (finding.verdict === "not run") {
    return `${finding.id}: not run (needs ${finding.needs})`;
  }
  const { environment } = finding;
  const machine = `${environment.cores} cores, load ${formatNumber(environment.load)}`;
  if (finding.kind === "checked") {
    return [
      `${finding.id}: ${finding.verdict}`,
      ...finding.checks.map(({ id, passed, of }) => `  ${id}: passed ${passed} of ${of}`),
      ...finding.mutants.map(
        ({ name, failed }) =>
          `  the mutant ${name}: ${failed ? `failed ${failed}` : "passed, and was to fail"}`,
      ),
      ...(finding.untried?.length
        ? [`  not tried, for lack of time: ${finding.untried.join(", ")}`]
        : []),
      `  ${machine}`,
    ].join("\n");
  }
  const line = (compared: Compared, prefix: string): string => {
    const { text, judgement, sides, note } = compared;
    const figures = sides
      ? `, ${formatQuantity(sides.left, sides.dimension)} against ${formatQuantity(sides.right, sides.dimension)}`
      : "";
    const hint =
      note ?? (judgement === "inconclusive" ? needed(compared, finding.turns) : undefined);
    const why = hint ? `\n    ${hint}` : "";
    return `  ${prefix}${text}: ${judgement}, ${formatEstimate(compared)}${figures}${why}`;
  };
  return [
    `${finding.id}: ${finding.verdict}`,
    ...finding.comparisons.map((each) => line(each, "")),
    ...finding.conditions.map((each) => line(each, "at ")),
    `  ${finding.turns} turns, ${machine}`,
  ].join("\n");
}

/** More than that nobody waits for. */
const MOST_TURNS = 10_000;

/** How many turns it would take to tell. */
function needed({ kind, estimate, bound }: Compared, turns: number): string {
  const count = turnsToDecide(estimate, bound, turns, kind === "ratio" ? Math.log : undefined);
  if (Number.isNaN(count)) return `it takes ${FEWEST} turns at least`;
  if (count > MOST_TURNS) return "what was measured is too near the bound for any number of turns";
  return `about ${Number(count.toPrecision(2))} turns would tell, if it is what was measured`;
}

/**
 * What goes into a claim's `last-measured` line.
 * @param date `2026-11-22`
 */
export function lastMeasured(finding: Finding, date: string): string {
  if (finding.verdict === "not run") return `${date} not run (needs ${finding.needs})`;
  const { verdict, environment } = finding;
  const machine = `${environment.cores} cores, load ${formatNumber(environment.load)}`;
  if (finding.kind === "measured") {
    const figures = finding.comparisons.map(formatEstimate).join(", ");
    return `${date} ${verdict}: ${figures}; ${finding.turns} turns, ${machine}`;
  }
  const checks = finding.checks.map(({ id, passed, of }) => `${id} passed ${passed} of ${of}`);
  const mutants = finding.mutants.map(
    ({ name, failed }) => `${name} ${failed ? `failed ${failed}` : "passed"}`,
  );
  return `${date} ${verdict}: ${[...checks, ...mutants].join(", ")}; ${machine}`;
}
