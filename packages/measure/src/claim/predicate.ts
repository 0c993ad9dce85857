import type { Comparator } from "../stats/estimate.ts";

/**
 * What a claim says, for example `p99(redis) < 0.5 * p99(postgres) at found >= 0.99`.
 *
 *     predicate  = comparisons [ "at" comparisons ]
 *     comparisons = comparison { "and" comparison }
 *     comparison = sum ( "<" | "<=" | ">" | ">=" ) sum
 *     sum        = product { ( "+" | "-" ) product }
 *     product    = factor { ( "*" | "/" ) factor }
 *     factor     = quantity | measure | "growth" "(" measure ")" | "(" sum ")"
 *     measure    = ( quantile | "mean" | "max" | metric ) [ "(" contender ")" ]
 *     quantity   = number [ unit ]
 *
 * Names may have hyphens; a minus between names needs spaces around it.
 */
export interface Predicate {
  /** All of them must hold. */
  readonly comparisons: readonly Comparison[];
  /** On what condition anything is claimed: where these don't hold, the claim wasn't put to the test. */
  readonly conditions: readonly Comparison[];
}

export interface Comparison {
  readonly left: Expression;
  readonly comparator: Comparator;
  readonly right: Expression;
}

export type Expression = Quantity | Measure | Growth | Binary;

/** Where something begins in the predicate's text, counted from 0. */
interface Placed {
  readonly at: number;
}

export interface Quantity extends Placed {
  readonly kind: "quantity";
  readonly value: number;
  /** As written: `ms`, `/s`; empty for none. */
  readonly unit: string;
}

/**
 * A metric of a contender. `p99`, `mean` and `max` are of the claim's metric; anything else is a metric's
 * name. Without a contender, it is meant of each that the claim compares.
 */
export interface Measure extends Placed {
  readonly kind: "measure";
  readonly name: string;
  readonly contender?: string;
}

/** The exponent with which a measure grows with the scale. */
export interface Growth extends Placed {
  readonly kind: "growth";
  readonly of: Measure;
}

export interface Binary extends Placed {
  readonly kind: "binary";
  readonly operator: "+" | "-" | "*" | "/";
  readonly left: Expression;
  readonly right: Expression;
}

/** Every measure in an expression, those in a growth included. */
export function measuresOf(expression: Expression): readonly Measure[] {
  switch (expression.kind) {
    case "quantity":
      return [];
    case "measure":
      return [expression];
    case "growth":
      return [expression.of];
    case "binary":
      return [...measuresOf(expression.left), ...measuresOf(expression.right)];
  }
}

/** 0.99 of `p99`, 1 of `max`; undefined for what is no quantile. */
export function shareOf(name: string): number | undefined {
  if (name === "max") return 1;
  return /^p\d/.test(name) ? Number(name.slice(1)) / 100 : undefined;
}

const binding = { "+": 1, "-": 1, "*": 2, "/": 2 } as const;

export function formatPredicate({ comparisons, conditions }: Predicate): string {
  const all = (each: readonly Comparison[]): string => each.map(formatComparison).join(" and ");
  return conditions.length > 0 ? `${all(comparisons)} at ${all(conditions)}` : all(comparisons);
}

export function formatComparison({ left, comparator, right }: Comparison): string {
  return `${formatExpression(left)} ${comparator} ${formatExpression(right)}`;
}

export function formatExpression(expression: Expression): string {
  switch (expression.kind) {
    case "quantity": {
      const { value, unit } = expression;
      return `${value}${unit === "" || unit === "%" || unit.startsWith("/") ? "" : " "}${unit}`;
    }
    case "measure":
      return expression.contender ? `${expression.name}(${expression.contender})` : expression.name;
    case "growth":
      return `growth(${formatExpression(expression.of)})`;
    case "binary": {
      const { operator, left, right } = expression;
      const inner = (side: Expression, tighter: number): string => {
        const text = formatExpression(side);
        const loose =
          side.kind === "binary" && binding[side.operator] < binding[operator] + tighter;
        return loose ? `(${text})` : text;
      };
      // On the right of an operator, one that binds as much needs brackets: a - (b - c).
      return `${inner(left, 0)} ${operator} ${inner(right, 1)}`;
    }
  }
}
