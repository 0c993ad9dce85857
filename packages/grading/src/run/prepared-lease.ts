import type { EngineRun, Lease } from "@db-katas/engines";
import type { Kata } from "../kata.ts";
import type { Rubric } from "../rubric.ts";
import { fingerprint, type Submission } from "../submission/submission.ts";
import { leaseAll } from "./lease-all.ts";

/** A lease on an engine as a submission's migrations prepare it for checks, and no check's data. */
export async function leasePrepared(options: {
  readonly kata: Kata;
  readonly rubric: Rubric;
  readonly submission: Submission;
  readonly engines: EngineRun;
  readonly engine: string;
}): Promise<Lease> {
  const { rubric, engine, engines, submission } = options;
  const check = rubric.find((candidate) => engine in candidate.engines);
  if (!check) return engines.lease(engine);
  const leases = new Map<string, Lease>();
  const run = {
    ...options,
    fingerprint: await fingerprint(submission),
    runSeed: 0,
    onEngine: () => {},
    replay: "",
  };
  await leaseAll({ ...check, engines: { [engine]: {} } }, run, leases);
  return leases.get(engine) as Lease;
}
