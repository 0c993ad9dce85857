import type { ExperimentDefinition } from "../experiment/definition.ts";
import type { TurnRecord } from "../experiment/journal.ts";

/** An experiment without what opens it: data, as it crosses to another process. */
export type Description = Omit<ExperimentDefinition, "open">;

/** To the process of an experiment, which answers each with one {@link Answer}. */
export type Order =
  | { readonly kind: "describe"; readonly file: string }
  | {
      readonly kind: "open";
      /** Where the engines are, by their roles. */
      readonly urls: Readonly<Record<string, string>>;
      readonly parameters: Readonly<Record<string, number>>;
      readonly seed: number;
    }
  /** It isn't said whether anything is delayed meanwhile. */
  | { readonly kind: "measure"; readonly contender: string; readonly number: number };

export type Answer =
  | { readonly kind: "described"; readonly sha256: string; readonly description: Description }
  | { readonly kind: "opened" }
  | { readonly kind: "measured"; readonly found: TurnRecord["contenders"][string] }
  | { readonly kind: "failed"; readonly message: string };

/** An order with its number, and the answer to it: what else comes from there, nobody asked for. */
export interface Ordered {
  readonly id: number;
  readonly order: Order;
}

export interface Answered {
  readonly id: number;
  readonly answer: Answer;
}
