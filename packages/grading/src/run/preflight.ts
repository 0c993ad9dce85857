import type { Capability, EngineRun, ProbeResult } from "@db-katas/engines";
import { requestFor } from "../check.ts";
import { messageOf } from "../kata.ts";
import type { CheckResult } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import { SubmissionCrashed } from "../verdict.ts";
import { locationIn } from "./describe.ts";
import { type CheckRun, spawnProcess } from "./spawn.ts";

/** How the failure of a submission that can't even be imported begins. */
export const NOT_LOADED = "The submission could not be loaded";

/** Loads the submission once, so that code that doesn't compile is said once. */
export async function loadFailure(
  run: Omit<CheckRun, "replay">,
): Promise<Pick<CheckResult, "verdict" | "failure"> | undefined> {
  await using process = spawnProcess("import", { ...run, replay: "" });
  try {
    await process.ready;
    return undefined;
  } catch (error) {
    const crashed = error instanceof SubmissionCrashed;
    return {
      verdict: crashed ? "crashed" : "timed out",
      failure: {
        message: `${NOT_LOADED}: ${messageOf(error)}`,
        detail: [`What to do: pnpm exec tsc -p ${run.submission.folder}`],
        trace: [],
        ...(crashed && error.stderr ? { stderr: error.stderr } : {}),
        ...(crashed ? locationIn(error.stderr, run.submission.folder) : {}),
      },
    };
  }
}

/** Why checks can't be graded on this machine, by check id. */
export async function unavailability(
  rubric: Rubric,
  engines: EngineRun,
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  for (const check of rubric) {
    for (const [name, needs] of Object.entries(check.engines)) {
      const request = requestFor(needs);
      const probe = await probeOnce(engines, name, request.needs);
      if (probe.chosen) continue;
      // The last provider asks least of the person: a package, rather than a server or a runtime.
      const remedy = probe.offers.flatMap((o) => (!o.offered && o.remedy ? [o.remedy] : [])).at(-1);
      reasons.set(
        check.id,
        `needs ${name}${request.needs.length > 0 ? ` with ${request.needs.join(", ")}` : ""}` +
          `${remedy ? `: ${remedy}` : ""}`,
      );
      break;
    }
  }
  return reasons;
}

const probes = new WeakMap<EngineRun, Map<string, ProbeResult>>();

/** What can be had once can be had throughout a run; asking starts programs, for each check again. */
async function probeOnce(
  engines: EngineRun,
  name: string,
  needs: readonly Capability[],
): Promise<ProbeResult> {
  const known = probes.get(engines) ?? new Map<string, ProbeResult>();
  probes.set(engines, known);
  const key = [name, ...needs].join(" ");
  const probe = known.get(key) ?? (await engines.probe(name, needs));
  if (probe.chosen) known.set(key, probe);
  return probe;
}
