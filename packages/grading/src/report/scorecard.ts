import { z } from "zod";

const engineSchema = z.object({
  name: z.string(),
  version: z.string(),
  provider: z.string(),
  source: z.string().describe("where the server comes from; a stand-in says so here"),
});

const eventSchema = z.object({
  atMs: z.number().describe("milliseconds since the check began"),
  kind: z.enum(["step", "call", "fault", "heal", "gate"]),
  node: z.string().describe("of a call: the app node").optional(),
  engine: z.string().describe("of a fault, its heal and a gate").optional(),
  text: z.string(),
  tookMs: z
    .number()
    .describe("of a call or a fault that came to an end: how long it lasted")
    .optional(),
  threw: z.boolean().describe("of a call: it ended with an error").optional(),
});

const failureSchema = z.object({
  message: z.string(),
  location: z
    .object({
      file: z.string().describe("relative to the submission's folder"),
      line: z.int(),
      column: z.int(),
    })
    .describe("where in the submission it was thrown, when its stack tells")
    .optional(),
  expected: z.string().optional(),
  received: z.string().optional(),
  detail: z.array(z.string()).describe("for instance the operations that prove an anomaly"),
  trace: z.array(z.string()).describe("what the grader did last, in order"),
  stderr: z.string().describe("the last of what the submission wrote to stderr").optional(),
  engineLog: z
    .string()
    .describe("what the engines logged while the check ran, where their logs have times")
    .optional(),
});

const checkSchema = z.object({
  id: z.string(),
  title: z.string(),
  concept: z.string(),
  points: z.int().min(1),
  earned: z.int().min(0),
  verdict: z.enum(["passed", "failed", "skipped", "not graded", "timed out", "crashed", "error"]),
  reason: z.string().describe("why it was skipped or not graded, with the remedy").optional(),
  durationMs: z.number().min(0),
  failure: failureSchema.optional(),
  timeline: z
    .array(eventSchema)
    .describe("what the grader did, in order: all steps and faults, of calls the last hundreds")
    .optional(),
  callsLeftOut: z.int().describe("how many earlier calls the timeline has no room for").optional(),
  prediction: z
    .object({
      probability: z.number().min(0).max(1).describe("that it passes at its first grade"),
      at: z.iso.datetime(),
      first: z
        .object({ at: z.iso.datetime(), passed: z.boolean() })
        .describe("what came of it at the first grade that put an answer to the test")
        .optional(),
    })
    .describe("what the person said before, if `kata predict` was asked in time")
    .optional(),
  hints: z.array(z.string()).describe("level by level; empty when passed"),
  replay: z.string().describe("the command that runs just this check again"),
});

/**
 * A field may be added without a new version, so readers must let unknown ones pass. One that is
 * renamed, removed or given another meaning takes a new `schemaVersion`.
 */
export const scorecardSchema = z
  .object({
    schemaVersion: z.literal(1),
    kata: z.string(),
    submission: z.string(),
    seed: z.int(),
    isolation: z
      .enum(["namespaces", "none"])
      .describe("what kept the submission from this machine: Linux namespaces, or nothing")
      .optional(),
    startedAt: z.iso.datetime(),
    durationMs: z.number().min(0),
    engines: z.array(engineSchema),
    checks: z.array(checkSchema),
    points: z.object({
      earned: z.int(),
      possible: z.int().describe("of the checks that could be graded"),
      total: z.int().describe("of the whole rubric, or of the checks asked for"),
    }),
  })
  .meta({ title: "db-katas scorecard" });

export type Scorecard = z.infer<typeof scorecardSchema>;
export type CheckResult = Scorecard["checks"][number];
export type CheckFailureReport = z.infer<typeof failureSchema>;

/** The exit codes of `kata grade`, documented in the README. */
export const exitCodes = {
  fullMarks: 0,
  lostPoints: 1,
  ourError: 2,
  submissionBroke: 3,
  nothingGraded: 4,
} as const;

/**
 * @param strict a check that could not be graded counts as lost points
 * @returns the exit code; the worst news wins: our error, then a crash or time-out, then lost points
 */
export function exitCodeOf(scorecard: Scorecard, strict = false): number {
  const any = (...verdicts: CheckResult["verdict"][]) =>
    scorecard.checks.some((check) => verdicts.includes(check.verdict));
  if (any("error")) return exitCodes.ourError;
  if (any("crashed", "timed out")) return exitCodes.submissionBroke;
  if (!any("passed", "failed")) return exitCodes.nothingGraded;
  if (any("failed", "skipped") || (strict && any("not graded"))) return exitCodes.lostPoints;
  return exitCodes.fullMarks;
}

/** How many checks passed, failed in whatever way, and were not run; what `pnpm test` adds up. */
export function countOf({ checks }: Pick<Scorecard, "checks">) {
  const count = (...verdicts: CheckResult["verdict"][]) =>
    checks.filter((check) => verdicts.includes(check.verdict)).length;
  return {
    passed: count("passed"),
    failed: count("failed", "crashed", "timed out", "error"),
    skipped: count("skipped", "not graded"),
  };
}

export function pointsOf(checks: readonly CheckResult[]): Scorecard["points"] {
  const sum = (list: readonly CheckResult[], value: (check: CheckResult) => number) =>
    list.reduce((total, check) => total + value(check), 0);
  return {
    earned: sum(checks, (check) => check.earned),
    possible: sum(
      checks.filter((check) => check.verdict !== "not graded"),
      (check) => check.points,
    ),
    total: sum(checks, (check) => check.points),
  };
}
