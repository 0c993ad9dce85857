/** What `kata new` and `plop` know of a generator: what it asks, and what it would change. */
import type { Change } from "../changes.ts";

/** Answers by the names of questions. */
export type Answers = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** Asked in a terminal where it is needed and not said; a flag, or an argument, everywhere else. */
export interface Question {
  /** Of the answer, and of its flag. */
  readonly name: string;
  /** What is asked. */
  readonly message: string;
  /** What `--help` says. */
  readonly help: string;
  /** What its value is called there; default: as the question. */
  readonly value?: string;
  /** An argument, by its place among them. */
  readonly positional?: true;
  /** Said or not: its answer is `yes`. */
  readonly flag?: true;
  /** Several values. */
  readonly many?: true;
  /** There is no default. */
  readonly required?: true;
  /** @throws GeneratorError when it can't be that */
  check?(value: string): void;
  /** Those that there are. @param said what was answered before */
  choices?(root: string, said: Answers): Promise<readonly Choice[]>;
}

/** What a generator would do. */
export interface Plan {
  readonly changes: readonly Change[];
  /** What its maker does next: edits, and commands. One line each. */
  readonly next: readonly string[];
  /** Whether packages have to be installed first. */
  readonly install?: boolean;
}

/** A generator: `kata new <name> …`, `plop <name>`. */
export interface Part {
  readonly name: string;
  readonly description: string;
  readonly questions: readonly Question[];
  /**
   * Reads, checks, renders, and writes nothing.
   * @throws GeneratorError
   */
  plan(root: string, answers: Answers): Promise<Plan>;
}

/** An answer that has to be there. */
export function said(answers: Answers, name: string): string {
  return String(answers[name] ?? "");
}

export function saidList(answers: Answers, name: string): readonly string[] {
  const value = answers[name] ?? [];
  return (typeof value === "string" ? [value] : value).flatMap((each) => each.split(","));
}
