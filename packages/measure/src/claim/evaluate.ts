import type { Results } from "../experiment/results.ts";
import { type BootstrapOptions, bootstrap } from "../stats/bootstrap.ts";
import { type Comparator, type Judgement, judge, meets, together } from "../stats/estimate.ts";
import { growth } from "../stats/growth.ts";
import { pairedDifference, pairedRatio } from "../stats/pairs.ts";
import { metricOf, sizesOf } from "./check.ts";
import type { MeasuredClaim } from "./claim.ts";
import { type Compared, type Finding, formatEstimate } from "./finding.ts";
import {
  type Comparison,
  type Expression,
  formatComparison,
  type Growth,
  measuresOf,
} from "./predicate.ts";
import { Samples, Unmeasured } from "./samples.ts";

/** Where costs are further off their curve than by this factor, the exponent describes nothing. */
const WORST_FIT = 2;

/**
 * What results say of a claim that {@link checkClaim} finds nothing wrong with.
 *
 * - Two sides that were both measured are compared turn by turn, see {@link pairedRatio}: "held" is
 *   what holds in a typical turn, and over all turns together as well. A tail that a few turns make is
 *   thus never held against itself: it is inconclusive.
 * - One side against a number is that side over all turns: of a latency all calls, of a value the mean.
 *   Turns are drawn again for the interval.
 * - Growth is fitted over all sizes; whatever else is claimed, is of the last.
 * @param results at each size of the claim's scale, the last being the greatest; else one
 */
export function evaluate(
  claim: MeasuredClaim,
  results: readonly Results[],
  options?: BootstrapOptions,
): Finding {
  const { id } = claim.fields;
  const last = results.at(-1);
  if (!last || last.turns.length === 0) return { id, verdict: "not run", needs: "results" };
  try {
    const evaluation = new Evaluation(claim, results, options);
    const all = claim.predicate.comparisons.flatMap((each) => perContender(each, claim, last));
    const comparisons = all.map((each) => evaluation.compare(each));
    const conditions = claim.predicate.conditions
      .flatMap((each) => perContender(each, claim, last))
      .map((each) => evaluation.compare(each));
    const unmet = conditions.find(({ judgement }) => judgement === "falsified");
    if (unmet) {
      return {
        id,
        verdict: "not run",
        needs: `${unmet.text}, and measured ${formatEstimate(unmet)}`,
      };
    }
    return {
      kind: "measured",
      id,
      verdict: verdictOf(comparisons, conditions),
      comparisons,
      conditions,
      turns: last.turns.length,
      environment: last.environment,
    };
  } catch (error) {
    if (error instanceof Unmeasured) return { id, verdict: "not run", needs: error.message };
    throw error;
  }
}

/** What isn't known to have been tested is neither held nor falsified. */
function verdictOf(comparisons: readonly Compared[], conditions: readonly Compared[]): Judgement {
  const tested = conditions.every(({ judgement }) => judgement === "held");
  return tested ? together(comparisons.map(({ judgement }) => judgement)) : "inconclusive";
}

/** A measure without a contender is meant of each that is compared, else of each that there is. */
function perContender(
  comparison: Comparison,
  claim: MeasuredClaim,
  results: Results,
): Comparison[] {
  const { left, right } = comparison;
  const isOpen = [...measuresOf(left), ...measuresOf(right)].some(({ contender }) => !contender);
  if (!isOpen) return [comparison];
  const named = claim.predicate.comparisons
    .flatMap(({ left, right }) => [...measuresOf(left), ...measuresOf(right)])
    .flatMap(({ contender }) => contender ?? []);
  const all = Object.keys(results.experiment.definition.contenders);
  return [...new Set(named.length > 0 ? named : all)].map((contender) => ({
    ...comparison,
    left: assign(left, contender),
    right: assign(right, contender),
  }));
}

function assign(expression: Expression, contender: string): Expression {
  switch (expression.kind) {
    case "quantity":
      return expression;
    case "measure":
      return { contender, ...expression };
    case "growth":
      return { ...expression, of: { contender, ...expression.of } };
    case "binary":
      return {
        ...expression,
        left: assign(expression.left, contender),
        right: assign(expression.right, contender),
      };
  }
}

class Evaluation {
  readonly #claim: MeasuredClaim;
  readonly #results: readonly Results[];
  readonly #samples: readonly Samples[];
  readonly #options: BootstrapOptions | undefined;

  constructor(
    claim: MeasuredClaim,
    results: readonly Results[],
    options: BootstrapOptions | undefined,
  ) {
    this.#claim = claim;
    this.#results = results;
    this.#samples = results.map((each) => new Samples(each, metricOf(claim)));
    this.#options = options;
  }

  compare(comparison: Comparison): Compared {
    const { left, right, comparator } = comparison;
    const text = formatComparison(comparison);
    if (measuresOf(right).length === 0) return this.#withNumber(text, left, comparator, right);
    if (measuresOf(left).length === 0) {
      return this.#withNumber(text, right, flipped[comparator], left);
    }
    return this.#paired(text, comparison);
  }

  get #last(): Samples {
    return this.#samples.at(-1) as Samples;
  }

  #withNumber(
    text: string,
    side: Expression,
    comparator: Comparator,
    number: Expression,
  ): Compared {
    const samples = this.#last;
    const bound = samples.over(number, []);
    if (side.kind === "growth") return this.#growth(text, side, comparator, bound);
    const all = Array(samples.turns).keys().toArray();
    const value = samples.over(side, all);
    const interval = bootstrap(
      [samples.turns],
      ([picks]) => samples.over(side, picks ?? []),
      this.#options,
    );
    const dimension = samples.dimensionOf(side);
    const judgement = judge(interval, comparator, bound);
    return {
      text,
      judgement,
      kind: "value",
      estimate: { value, ...interval },
      comparator,
      bound,
      dimension,
    };
  }

  #growth(text: string, { of }: Growth, comparator: Comparator, bound: number): Compared {
    const parameter = sizesOf(this.#claim)?.parameter ?? "";
    const { exponent, worstFit } = growth(
      this.#samples.map((samples, index) => ({
        size: this.#results[index]?.parameters[parameter] ?? Number.NaN,
        values: turnsOf(samples, of),
      })),
      this.#options,
    );
    const compared = {
      text,
      kind: "exponent",
      estimate: exponent,
      comparator,
      bound,
      dimension: {},
    } as const;
    if (worstFit <= WORST_FIT)
      return { ...compared, judgement: judge(exponent, comparator, bound) };
    const note = `costs are no power of the size: one is off by a factor of ${worstFit.toFixed(1)}`;
    return { ...compared, judgement: "inconclusive", note };
  }

  #paired(text: string, { left, right, comparator }: Comparison): Compared {
    const samples = this.#last;
    const [ours, theirs] = [turnsOf(samples, left), turnsOf(samples, right)];
    const isRatio = [...ours, ...theirs].every((each) => each > 0);
    const estimate = (isRatio ? pairedRatio : pairedDifference)(ours, theirs, this.#options);
    const bound = isRatio ? 1 : 0;
    const all = Array(samples.turns).keys().toArray();
    const dimension = samples.dimensionOf(left);
    const sides = { left: samples.over(left, all), right: samples.over(right, all), dimension };
    const compared = {
      text,
      kind: isRatio ? "ratio" : "difference",
      estimate,
      comparator,
      bound,
      dimension: isRatio ? {} : dimension,
      sides,
    } as const;
    const judgement = judge(estimate, comparator, bound);
    const holdsOverAll = meets(sides.left, comparator, sides.right);
    if (judgement === "inconclusive" || holdsOverAll === (judgement === "held")) {
      return { ...compared, judgement };
    }
    const note = `${judgement} in a typical turn, and not over all of them: a few turns weigh more than the rest`;
    return { ...compared, judgement: "inconclusive", note };
  }
}

function turnsOf(samples: Samples, expression: Expression): number[] {
  return Array.from({ length: samples.turns }, (_, turn) => samples.inTurn(expression, turn));
}

const flipped = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;
