import type { Lease } from "@db-katas/engines";
import {
  type Check,
  type RemoteSubmission,
  requestFor,
  type SubmissionContract,
} from "../check.ts";
import { type CheckRun, spawnProcess } from "./spawn.ts";

/** Takes a lease on each engine of a check, prepared by the submission's migrations. */
export async function leaseAll(
  check: Check,
  run: CheckRun,
  leases: Map<string, Lease>,
): Promise<void> {
  // Settled, not raced: a lease that arrives after another one failed must still be given back.
  const outcomes = await Promise.allSettled(
    Object.entries(check.engines).map(async ([name, needs]) => {
      const preparation = check.prepare?.[name];
      const lease = await run.engines.lease(name, {
        ...requestFor(needs),
        ...(preparation && {
          template: {
            key: run.fingerprint,
            build: async (url: string) => {
              await using migrator = spawnProcess("migrate", run);
              await migrator.ready;
              const remote: RemoteSubmission<SubmissionContract> = {
                migrate: (...args) => migrator.migrate(args),
              };
              await preparation.build(remote, url);
            },
          },
        }),
      });
      leases.set(name, lease);
      run.onEngine(lease.engine);
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}
