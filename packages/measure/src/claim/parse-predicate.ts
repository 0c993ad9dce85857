import { readFileSync } from "node:fs";
import { join } from "node:path";
import peggy from "peggy";
import type { Predicate } from "./predicate.ts";

/** What can't be read, and where. */
export interface SyntaxProblem {
  /** Offset in the text. */
  readonly at: number;
  readonly found: string;
  /** What could stand there, for people. */
  readonly expected: readonly string[];
}

const grammar = readFileSync(join(import.meta.dirname, "predicate.peggy"), "utf8");
const parser = peggy.generate(grammar);

export function parsePredicate(text: string): Predicate | SyntaxProblem {
  try {
    return parser.parse(text) as Predicate;
  } catch (error) {
    if (!(error instanceof parser.SyntaxError)) throw error;
    const at = error.location.start.offset;
    const found = /^(?:[\w.]+|\S+)/.exec(text.slice(at).trimStart())?.[0];
    return {
      at,
      found: found ? `"${found}"` : "the end",
      expected: [...new Set((error.expected ?? []).map(describe))]
        .filter((each) => each !== "")
        .sort(),
    };
  }
}

function describe(expectation: peggy.parser.Expectation): string {
  switch (expectation.type) {
    case "literal":
      return `"${expectation.text}"`;
    case "end":
      return "the end";
    case "other":
      return expectation.description === "space" ? "" : expectation.description;
    default:
      // A further letter or digit of what is there.
      return "";
  }
}
