import {
  type Capability,
  type EngineRun,
  type Offer,
  type ProbeResult,
  requirements,
} from "@db-katas/engines";
import { requestFor } from "../check.ts";
import { engineOf, messageOf } from "../kata.ts";
import type { CheckResult } from "../report/scorecard.ts";
import type { Rubric } from "../rubric.ts";
import type { AppProcess } from "../submission/process.ts";
import { SubmissionCrashed, type Verdict } from "../verdict.ts";
import { locationIn } from "./describe.ts";
import { type CheckRun, MIGRATOR, spawnProcess } from "./spawn.ts";

/** How the failure of a submission that can't even be imported begins. */
export const NOT_LOADED = "The submission could not be loaded";

/** A submission that could be loaded, or how every check of it ends. */
export type Loading =
  | { readonly process: AppProcess; readonly failure?: undefined }
  | { readonly process?: undefined; readonly failure: Pick<CheckResult, "verdict" | "failure"> };

/** Loads the submission once, so that code that doesn't compile is said once. */
export async function load(run: Omit<CheckRun, "replay">): Promise<Loading> {
  const process = spawnProcess(MIGRATOR, { ...run, replay: "" });
  try {
    await process.ready;
    return { process };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    return { failure: failureOf(error, run) };
  }
}

function failureOf(error: unknown, { submission }: Omit<CheckRun, "replay">) {
  const crashed = error instanceof SubmissionCrashed;
  const verdict: Verdict = crashed ? "crashed" : "timed out";
  return {
    verdict,
    failure: {
      message: `${NOT_LOADED}: ${messageOf(error)}`,
      detail: [`What to do: pnpm exec tsc -p ${submission.folder}`],
      trace: [],
      ...(crashed && error.stderr ? { stderr: error.stderr } : {}),
      ...(crashed ? locationIn(error.stderr, submission.folder) : {}),
    },
  };
}

/** Why checks can't be graded on this machine, by check id. */
export async function unavailability(
  rubric: Rubric,
  engines: EngineRun,
): Promise<Map<string, string>> {
  const reasons = new Map<string, string>();
  for (const check of rubric) {
    for (const [role, needs] of Object.entries(check.engines)) {
      const name = engineOf(role, needs);
      const request = requestFor(needs);
      const probe = await probeOnce(engines, name, request.needs);
      if (probe.chosen) continue;
      // The last provider asks least of the person: a package, rather than a server or a runtime.
      const remedy = probe.offers.flatMap((o) => remedyOf(o, request.needs) ?? []).at(-1);
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

function remedyOf(offer: Offer, needs: readonly Capability[]): string | undefined {
  if (!offer.offered) return offer.remedy;
  const lacking = needs.filter((need) => !offer.capabilities.includes(need));
  return lacking.flatMap((need) => requirements[need] ?? []).at(0);
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
