import type { ReplicaConfig } from "../../contract.ts";

export function startReplica(config: ReplicaConfig): never {
  throw new Error(`the replica ${config.name} is still to be written`);
}
