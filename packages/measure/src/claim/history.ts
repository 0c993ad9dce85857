import { z } from "zod";
import { type Environment, environmentSchema } from "../experiment/environment.ts";
import { type Finding, formatEstimate } from "./finding.ts";

/** Absent where there were too few turns to tell: JSON knows no NaN. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);

/** What became of a claim at some moment: a line of a history. */
export const historySchema = z.object({
  at: z.iso.datetime(),
  id: z.string(),
  size: z.enum(["full", "quick"]),
  verdict: z.enum(["held", "falsified", "inconclusive", "cannot fail"]),
  /** Empty where checks were run. */
  comparisons: z.array(
    z.object({
      text: z.string(),
      judgement: z.enum(["held", "falsified", "inconclusive"]),
      /** With its interval, for people. */
      said: z.string(),
      value: figure,
      low: figure,
      high: figure,
      bound: z.number(),
    }),
  ),
  /** Of an experiment, or runs of each check. */
  turns: z.number(),
  environment: environmentSchema,
});

export type HistoryEntry = Readonly<z.infer<typeof historySchema>>;

/** @returns undefined for what was not measured */
export function historyEntry(
  finding: Finding,
  size: HistoryEntry["size"],
  at: Date,
): HistoryEntry | undefined {
  if (finding.verdict === "not run") return undefined;
  const { id, verdict } = finding;
  const environment: Environment = finding.environment;
  const [turns, comparisons] =
    finding.kind === "measured"
      ? [finding.turns, finding.comparisons]
      : [finding.checks[0]?.of ?? 0, []];
  return {
    at: at.toISOString(),
    id,
    size,
    verdict,
    comparisons: comparisons.map((compared) => ({
      text: compared.text,
      judgement: compared.judgement,
      said: formatEstimate(compared),
      value: compared.estimate.value,
      low: compared.estimate.low,
      high: compared.estimate.high,
      bound: compared.bound,
    })),
    turns,
    environment,
  };
}
