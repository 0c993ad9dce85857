import type { EngineRun, Lease } from "@db-katas/engines";
import type { Kata } from "../kata.ts";
import type { Rubric } from "../rubric.ts";
import { fingerprint, type Submission } from "../submission/submission.ts";
import { leaseAll } from "./lease-all.ts";

/**
 * A lease on an engine as a submission's migrations prepare it for checks, and no check's data.
 * One that no check uses comes with nothing in it.
 */
export async function leasePrepared(options: {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly submission: Submission;
  readonly engines: EngineRun;
  /** What the exercise calls the engine, or the engine by name. */
  readonly role: string;
}): Promise<Lease> {
  const { rubric, role, engines, submission } = options;
  const check = rubric.find((candidate) => role in candidate.engines);
  const { engine = role } = check?.engines[role] ?? {};
  if (!check) return engines.lease(engine);
  const leases = new Map<string, Lease>();
  const run = {
    ...options,
    fingerprint: await fingerprint(submission),
    runSeed: 0,
    onEngine: () => {},
    replay: "",
  };
  await leaseAll({ ...check, engines: { [role]: { engine } } }, run, leases);
  return leases.get(role) as Lease;
}
