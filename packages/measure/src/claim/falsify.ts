import { EngineError } from "@db-katas/engines";
import { claimInvalid } from "../errors.ts";
import type { Experiment } from "../experiment/load-experiment.ts";
import type { Results } from "../experiment/results.ts";
import { type RunOptions, runExperiment } from "../experiment/run.ts";
import { checkClaim, sizesOf } from "./check.ts";
import type { MeasuredClaim } from "./claim.ts";
import { evaluate } from "./evaluate.ts";
import type { Finding } from "./finding.ts";

export interface FalsifyOptions extends Omit<RunOptions, "parameters"> {
  /** Where the claim stands, for messages. */
  readonly log: string;
}

/** What became of a claim, and what was measured for that: at each of its sizes, or once. */
export interface Falsified {
  readonly finding: Finding;
  readonly results: readonly Results[];
}

/**
 * Runs what is missing of a claim's experiment at the claim's scale, and judges. With `size: "quick"`
 * only a list of sizes is kept of the scale: such a finding is about the experiment's quick parameters.
 * @throws MeasureError `CLAIM_INVALID`, `EXPERIMENT_CRASHED`
 */
export async function falsify(
  claim: MeasuredClaim,
  experiment: Experiment,
  { log, ...options }: FalsifyOptions,
): Promise<Falsified> {
  const problems = checkClaim(claim, experiment);
  if (problems.length > 0) throw claimInvalid(log, problems);
  const { id, scale = {} } = claim.fields;
  const list = sizesOf(claim);
  const fixed = Object.entries(options.size === "quick" ? {} : scale).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const results: Results[] = [];
  try {
    for (const size of list?.sizes.toSorted((one, other) => one - other) ?? [undefined]) {
      const parameters = {
        ...Object.fromEntries(fixed),
        ...(list && size !== undefined ? { [list.parameter]: size } : {}),
      };
      results.push(await runExperiment(experiment, { ...options, parameters }));
    }
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== "ENGINE_UNAVAILABLE") throw error;
    return { finding: { id, verdict: "not run", needs: describeNeed(error) }, results };
  }
  return { finding: evaluate(claim, results), results };
}

/** In one line: what can't be had, and the command that is often the shortest way to it. */
function describeNeed({ message, remedy }: EngineError): string {
  const [happened = ""] = message.split("\n");
  const command = remedy?.split("\n").at(-1)?.trim();
  return `an engine: ${happened}${command ? `; ${command}` : ""}`;
}
