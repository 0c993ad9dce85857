import { metricsOf } from "../experiment/definition.ts";
import type { Experiment } from "../experiment/load-experiment.ts";
import { combine, type Dimension, describeDimension, parseUnit, sameDimension } from "../units.ts";
import type { MeasuredClaim, Problem } from "./claim.ts";
import {
  type Comparison,
  type Expression,
  formatExpression,
  type Measure,
  measuresOf,
  shareOf,
} from "./predicate.ts";

/** Which parameter a claim gives a list of sizes, and which sizes. */
export function sizesOf({
  fields,
}: MeasuredClaim): { parameter: string; sizes: readonly number[] } | undefined {
  const found = Object.entries(fields.scale ?? {}).find(([, value]) => Array.isArray(value));
  return found && { parameter: found[0], sizes: found[1] as number[] };
}

/** What p50, p99, mean and max are of. */
export function metricOf({ fields }: MeasuredClaim): string {
  return fields.metric ?? "latency";
}

/**
 * Whether what a claim speaks of is there: contenders, metrics, parameters, and units that can be
 * compared. All that is wrong, with where it stands in the log.
 */
export function checkClaim(claim: MeasuredClaim, experiment: Experiment): readonly Problem[] {
  return new Check(claim, experiment).problems();
}

class Check {
  readonly #claim: MeasuredClaim;
  readonly #experiment: Experiment;
  readonly #problems: Problem[] = [];

  constructor(claim: MeasuredClaim, experiment: Experiment) {
    this.#claim = claim;
    this.#experiment = experiment;
  }

  problems(): readonly Problem[] {
    const { predicate, fields } = this.#claim;
    const { parameters } = this.#experiment.definition;
    for (const name of Object.keys(fields.scale ?? {})) {
      if (!(name in parameters)) this.#reportScale(this.#noSuch("parameter", name, parameters));
    }
    const lists = Object.values(fields.scale ?? {}).filter(Array.isArray);
    if (lists.length > 1) this.#reportScale("expected a list of sizes for one parameter only");
    for (const comparison of predicate.comparisons) this.#comparison(comparison, false);
    for (const comparison of predicate.conditions) this.#comparison(comparison, true);
    return this.#problems;
  }

  #comparison({ left, right }: Comparison, isCondition: boolean): void {
    const measures = [...measuresOf(left), ...measuresOf(right)];
    if (measures.length === 0) this.#report(left.at, "nothing is measured here; expected a metric");
    for (const measure of measures) this.#measure(measure, isCondition);
    const [one, other] = [this.#dimension(left), this.#dimension(right)];
    if (one && other && !sameDimension(one, other)) {
      const [what, than] = [describeDimension(one), describeDimension(other)];
      this.#report(
        right.at,
        `${formatExpression(left)} is ${what}, and ${formatExpression(right)} is ${than}; expected both to be the same`,
      );
    }
    for (const side of [left, right]) this.#growth(side, side === left ? right : left);
  }

  /** What grows is compared with a number: its interval is all that is known. */
  #growth(side: Expression, other: Expression): void {
    if (side.kind === "growth") {
      if (measuresOf(other).length > 0)
        this.#report(other.at, "expected growth() to be compared with a number");
      if (!sizesOf(this.#claim)) {
        this.#report(side.at, "growth() takes a scale with a list of at least 4 sizes");
      }
    } else if (side.kind === "binary") {
      const inner = [side.left, side.right].find((each) => each.kind === "growth");
      if (inner) this.#report(inner.at, "expected growth() alone on its side");
      else
        for (const each of [side.left, side.right])
          this.#growth(each, { kind: "quantity", value: 0, unit: "", at: 0 });
    }
  }

  #measure({ name, contender, at }: Measure, isCondition: boolean): void {
    const { contenders } = this.#experiment.definition;
    const metrics = metricsOf(this.#experiment.definition);
    if (contender !== undefined && !(contender in contenders)) {
      this.#report(at, this.#noSuch("contender", contender, contenders));
    }
    if (contender === undefined && !isCondition && Object.keys(contenders).length > 1) {
      this.#report(
        at,
        `whose ${name}? expected ${name}(contender), of: ${Object.keys(contenders).join(", ")}`,
      );
    }
    const isStatistic = shareOf(name) !== undefined || name === "mean";
    const metric = isStatistic ? metricOf(this.#claim) : name;
    const defined = metrics[metric];
    if (!defined) this.#report(at, this.#noSuch("metric", metric, metrics));
    else if (isStatistic && defined.kind !== "latency") {
      this.#report(
        at,
        `${metric} has one value a turn, and so no ${name}; expected ${metric} itself`,
      );
    } else if (!isStatistic && defined.kind === "latency") {
      this.#report(at, `which ${name}? expected p50, p99, mean or max, and "metric: ${name}"`);
    }
  }

  /** @returns undefined where it was reported already */
  #dimension(expression: Expression): Dimension | undefined {
    switch (expression.kind) {
      case "quantity":
        return parseUnit(expression.unit).dimension;
      case "growth":
        return {};
      case "measure": {
        const isStatistic = shareOf(expression.name) !== undefined || expression.name === "mean";
        const metric = isStatistic ? metricOf(this.#claim) : expression.name;
        const defined = metricsOf(this.#experiment.definition)[metric];
        return defined && parseUnit(defined.unit).dimension;
      }
      case "binary": {
        const { operator, left, right } = expression;
        const [one, other] = [this.#dimension(left), this.#dimension(right)];
        if (!one || !other) return undefined;
        if (operator === "*") return combine(one, other, 1);
        if (operator === "/") return combine(one, other, -1);
        if (sameDimension(one, other)) return one;
        this.#report(
          right.at,
          `${describeDimension(one)} ${operator} ${describeDimension(other)}; expected both to be the same`,
        );
        return undefined;
      }
    }
  }

  #noSuch(what: string, name: string, known: object): string {
    return `${this.#experiment.name} has no ${what} "${name}"; expected one of: ${Object.keys(known).join(", ") || "none"}`;
  }

  #reportScale(message: string): void {
    this.#problems.push({ line: this.#claim.place.line, column: 1, message: `scale: ${message}` });
  }

  /** @param at offset in the predicate */
  #report(at: number, message: string): void {
    const { line, column } = this.#claim.place.predicate;
    this.#problems.push({ line, column: column + at, message });
  }
}
