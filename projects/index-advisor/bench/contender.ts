import type { Statement } from "../contract.ts";

export interface Question {
  /** `postgres://…` of the database to be advised. */
  readonly target: string;
  /** Of a copy that is the contender's alone. */
  readonly scratch: string;
  readonly statements: readonly Statement[];
  /** In bytes; Infinity for no limit. */
  readonly budgetBytes: number;
  /** The longest that it may take, in milliseconds. */
  readonly budgetMs: number;
}

export interface Choice {
  /** `CREATE INDEX …`, each with a name. */
  readonly indexes: readonly string[];
  /** How often the planner was asked. */
  readonly whatIfCalls: number;
  readonly seconds: number;
}

export interface Contender {
  readonly name: string;
  choose(question: Question): Promise<Choice>;
}
