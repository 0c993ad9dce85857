import { z } from "zod";
import type { Predicate } from "./predicate.ts";

const slug = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, "expected lower-case letters, digits and hyphens");
const size = z.number().positive();

/** The fields of a claim's block, which are YAML. In this order they are formatted. */
export const claimSchema = z.strictObject({
  id: slug.describe("Unique in its log."),
  experiment: z
    .string()
    .regex(/^[A-Za-z][\w-]*$/, "expected the name of an experiment")
    .describe("The name of the experiment that measures it."),
  metric: z
    .string()
    .regex(/^[A-Za-z][\w-]*$/, "expected the name of a metric")
    .optional()
    .describe("What p50, p99, mean and max are of. Default latency."),
  predicate: z
    .string()
    .describe("What is claimed: p99(redis) < 0.5 * p99(postgres) at found >= 0.99"),
  scale: z
    .record(
      z.string(),
      z.union([size, z.array(size).min(4)], "expected a number, or a list of at least 4"),
    )
    .optional()
    .describe("Parameters of the experiment. One of them may be a list of sizes, for growth()."),
  source: z.string().optional().describe("Where the number comes from, if it is quoted."),
  expected: z
    .enum(["held", "falsified"])
    .optional()
    .describe("What the log says will become of it: falsified for folklore. Default held."),
  "last-measured": z
    .string()
    .regex(
      /^\d{4}-\d{2}-\d{2} (held|falsified|inconclusive|not run)\b/,
      "expected a date, then held, falsified, inconclusive or not run",
    )
    .optional()
    .describe("Written by the program that measures."),
});

export type ClaimFields = Readonly<z.infer<typeof claimSchema>>;

/** A claim of a decision log, read. */
export interface Claim {
  readonly fields: ClaimFields;
  readonly predicate: Predicate;
  /** The heading that it stands under; empty for none. */
  readonly entry: string;
  readonly place: ClaimPlace;
}

/** Where a claim is in its log. Lines and columns count from 1. */
export interface ClaimPlace {
  /** Of the fence that opens it. */
  readonly line: number;
  /** Where the predicate's text begins. */
  readonly predicate: { readonly line: number; readonly column: number };
}

/** What is wrong in a log, for people, and where. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `DATABASE_DECISION_LOG.md:12:20: …`, a line each. */
export function formatProblems(file: string, problems: readonly Problem[]): string {
  return problems
    .map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`)
    .join("\n");
}
