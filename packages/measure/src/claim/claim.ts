import { z } from "zod";
import type { Predicate } from "./predicate.ts";

const slug = z
  .string()
  .regex(/^[a-z][a-z0-9-]*$/, "expected lower-case letters, digits and hyphens");
const size = z.number().positive();

const says = z.string().min(1);
const common = { id: slug.describe("Unique in its log.") };
const measurable = {
  source: z.string().optional().describe("Where the number comes from, if it is quoted."),
  expected: z
    .enum(["held", "falsified"])
    .optional()
    .describe("What the log says will become of it: falsified for folklore. Default held."),
};
const outcome = {
  "last-measured": z
    .string()
    .regex(
      /^\d{4}-\d{2}-\d{2} (held|falsified|inconclusive|cannot fail|not run)\b/,
      "expected a date, then held, falsified, inconclusive, cannot fail or not run",
    )
    .optional()
    .describe("Written by the program that measures."),
};

/** What an experiment measures. In this order fields are formatted, here and below. */
const measuredSchema = z.strictObject({
  ...common,
  says: says.optional().describe("What is claimed, in words; the predicate is what counts."),
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
  ...measurable,
  ...outcome,
});

/** What the rubric finds out: the reference passes, and a wrong answer shows that one can fail. */
const checkedSchema = z.strictObject({
  ...common,
  says: says.describe("What is claimed, in words."),
  checks: z
    .array(slug)
    .min(1, "expected at least one check")
    .describe("Checks of the exercise's rubric, all of which the reference passes."),
  mutants: z
    .array(slug)
    .min(1, "expected at least one mutant: what nothing can falsify is no claim")
    .describe("Wrong answers of the exercise, each of which fails one of the checks at least."),
  ...outcome,
});

/** What only a command of its own finds out, which `kata falsify` lists and doesn't run. */
const outsideSchema = z.strictObject({
  ...common,
  says: says.describe("What is claimed, in words."),
  outside: z.string().min(1).describe("The command that finds out; it exits with 1 if not so."),
  ...outcome,
});

/** A claim's evidence, by the field that names it. */
export const claimSchemas = {
  experiment: measuredSchema,
  checks: checkedSchema,
  outside: outsideSchema,
} as const;

/** The fields of a claim's block, which are YAML. */
export const claimSchema = z.union(Object.values(claimSchemas));

export type MeasuredFields = Readonly<z.infer<typeof measuredSchema>>;
export type CheckedFields = Readonly<z.infer<typeof checkedSchema>>;
export type OutsideFields = Readonly<z.infer<typeof outsideSchema>>;
export type ClaimFields = MeasuredFields | CheckedFields | OutsideFields;

/** A claim of a decision log, read. */
export type Claim = MeasuredClaim | CheckedClaim | OutsideClaim;

interface Read {
  /** The heading that it stands under; empty for none. */
  readonly entry: string;
  readonly place: ClaimPlace;
}

export interface MeasuredClaim extends Read {
  readonly kind: "measured";
  readonly fields: MeasuredFields;
  readonly predicate: Predicate;
  readonly place: ClaimPlace & {
    /** Where the predicate's text begins. */
    readonly predicate: { readonly line: number; readonly column: number };
  };
}

export interface CheckedClaim extends Read {
  readonly kind: "checked";
  readonly fields: CheckedFields;
}

export interface OutsideClaim extends Read {
  readonly kind: "outside";
  readonly fields: OutsideFields;
}

/** Where a claim is in its log. Lines and columns count from 1. */
export interface ClaimPlace {
  /** Of the fence that opens it. */
  readonly line: number;
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
