import type { Lease } from "@db-katas/engines";
import { CheckFailure } from "../verdict.ts";

/**
 * A proxy is where a network goes wrong: whoever goes around it was not graded.
 * @throws CheckFailure when something but this process connected to a check's server directly
 */
export async function assertNoDetour(leases: ReadonlyMap<string, Lease>): Promise<void> {
  for (const [name, lease] of leases) {
    const detours = (await lease.detours()) ?? 0;
    if (detours === 0) continue;
    const count = detours === 1 ? "a connection" : `${detours} connections`;
    throw new CheckFailure(`DIRECT_CONNECTION: ${name} was reached around the node's proxy`, {
      expected: "only connections to the address that the node was given",
      received: `${count} straight to the server`,
      detail: [
        "Faults in the network happen in that proxy: what goes around it is not what was asked for.",
        "What to do: use the address in the node's configuration as it is, and no port that the server tells.",
        "If it was you, with a client of your own: connect after the check, with `pnpm kata grade … --keep`.",
      ],
    });
  }
}
