/** What an operator asks of an index. */
import type { Node } from "@pgsql/types";
import type { Comparison } from "../model.ts";
import { stringOf } from "./tree.ts";

export interface Asked {
  readonly comparison: Comparison;
  readonly operator?: string;
  readonly bound?: "lower" | "upper";
}

const FILTERS = new Set(["<>", "!=", "!~~", "!~~*", "!~", "!~*"]);
const PATTERNS = new Set(["~~", "~~*", "~", "~*"]);
/** Those that some operator class of GIN or GiST answers. */
const CLASSED = new Set(
  "@> <@ && ? ?| ?& @? @@ << >> &< &> -|- % %> <% ~= <<| |>> &<| |&> @".split(" "),
);

/** `column OP other` as `other OP' column`; without an entry there is no such operator, or nobody writes it so. */
const TURNED: Readonly<Record<string, string>> = {
  "=": "=",
  "<>": "<>",
  "<": ">",
  ">": "<",
  "<=": ">=",
  ">=": "<=",
  "@>": "<@",
  "<@": "@>",
  "&&": "&&",
  "<<": ">>",
  ">>": "<<",
  "-|-": "-|-",
  "@@": "@@",
  "%": "%",
  "<%": "%>",
  "%>": "<%",
};

export function turned(operator: string): string | undefined {
  return TURNED[operator];
}

/** Whether every text that matches begins with the same characters. */
function anchored(operator: string, pattern: Node): boolean {
  const text = stringOf(pattern);
  if (text === undefined) return false;
  if (operator === "~~") return /^([^%_\\]|\\.)/.test(text);
  return operator === "~" && /^\^\w/.test(text) && !text.includes("|");
}

/** `undefined` for an operator that no index answers. */
export function asked(operator: string, other: Node): Asked | undefined {
  switch (operator) {
    case "=":
      return { comparison: "equal" };
    case "<":
    case "<=":
      return { comparison: "range", bound: "upper" };
    case ">":
    case ">=":
      return { comparison: "range", bound: "lower" };
    case "^@":
      return { comparison: "prefix", operator };
  }
  if (FILTERS.has(operator)) return { comparison: "filter", operator };
  if (PATTERNS.has(operator))
    return { comparison: anchored(operator, other) ? "prefix" : "like", operator };
  return CLASSED.has(operator) ? { comparison: "operator", operator } : undefined;
}
