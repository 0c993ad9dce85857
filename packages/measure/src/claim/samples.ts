import { metricsOf } from "../experiment/definition.ts";
import type { Results } from "../experiment/results.ts";
import type { Latencies } from "../stats/latencies.ts";
import { Pool } from "../stats/pool.ts";
import { combine, type Dimension, parseUnit } from "../units.ts";
import { type Expression, type Measure, shareOf } from "./predicate.ts";

/** A measure that the results lack. */
export class Unmeasured extends Error {
  override readonly name = "Unmeasured";
}

/** What expressions of a predicate come to in the results, in base units. */
export class Samples {
  readonly turns: number;
  readonly #results: Results;
  /** The metric that quantiles are of. */
  readonly #metric: string;
  readonly #pools = new Map<readonly Latencies[], Pool>();

  constructor(results: Results, metric: string) {
    this.#results = results;
    this.#metric = metric;
    this.turns = results.turns.length;
  }

  /** In one turn. */
  inTurn(expression: Expression, turn: number): number {
    return this.#evaluate(expression, (measure) => this.#measured(measure).inTurn(turn));
  }

  /** Over some turns together, any of them any number of times: all calls of latencies, the mean of values. */
  over(expression: Expression, picks: Iterable<number>): number {
    return this.#evaluate(expression, (measure) => this.#measured(measure).over(picks));
  }

  dimensionOf(expression: Expression): Dimension {
    switch (expression.kind) {
      case "quantity":
        return parseUnit(expression.unit).dimension;
      case "growth":
        return {};
      case "measure":
        return this.#unitOf(this.#metricOf(expression)).dimension;
      case "binary": {
        const { operator } = expression;
        const [one, other] = [expression.left, expression.right].map((each) =>
          this.dimensionOf(each),
        ) as [Dimension, Dimension];
        if (operator === "+" || operator === "-") return one;
        return combine(one, other, operator === "*" ? 1 : -1);
      }
    }
  }

  #evaluate(expression: Expression, measured: (measure: Measure) => number): number {
    switch (expression.kind) {
      case "quantity":
        return expression.value * parseUnit(expression.unit).factor;
      case "measure":
        return measured(expression) * this.#unitOf(this.#metricOf(expression)).factor;
      case "growth":
        throw new Unmeasured("growth of several sizes");
      case "binary": {
        const one = this.#evaluate(expression.left, measured);
        const other = this.#evaluate(expression.right, measured);
        return arithmetic[expression.operator](one, other);
      }
    }
  }

  #measured(measure: Measure): {
    inTurn(turn: number): number;
    over(picks: Iterable<number>): number;
  } {
    const { name, contender = "" } = measure;
    const metric = this.#metricOf(measure);
    const values = this.#results.values(contender, metric);
    if (values) {
      return {
        inTurn: (turn) => values[turn] ?? Number.NaN,
        over: (picks) => meanOf(values, picks),
      };
    }
    const latencies = this.#results.latencies(contender, metric);
    if (!latencies) throw new Unmeasured(`${metric} of ${contender}, which was not measured`);
    const pool = this.#poolOf(latencies);
    const share = shareOf(name);
    return share === undefined
      ? {
          inTurn: (turn) => latencies[turn]?.mean ?? Number.NaN,
          over: (picks) => pool.mean(picks),
        }
      : {
          inTurn: (turn) => latencies[turn]?.quantile(share) ?? Number.NaN,
          over: (picks) => pool.quantile(picks, share),
        };
  }

  #poolOf(latencies: readonly Latencies[]): Pool {
    const pool = this.#pools.get(latencies) ?? new Pool(latencies);
    this.#pools.set(latencies, pool);
    return pool;
  }

  #metricOf({ name }: Measure): string {
    return shareOf(name) !== undefined || name === "mean" ? this.#metric : name;
  }

  #unitOf(metric: string) {
    return parseUnit(metricsOf(this.#results.experiment.definition)[metric]?.unit ?? "");
  }
}

function meanOf(values: readonly number[], picks: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  for (const pick of picks) {
    sum += values[pick] ?? Number.NaN;
    count++;
  }
  return sum / count;
}

const arithmetic = {
  "+": (one: number, other: number) => one + other,
  "-": (one: number, other: number) => one - other,
  "*": (one: number, other: number) => one * other,
  "/": (one: number, other: number) => one / other,
};
