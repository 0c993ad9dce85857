/** The target's workload, from pg_stat_statements. */
import type { CollectRequest, Workload } from "../contract.ts";

export interface CallOptions {
  /** The longest that it may take, in milliseconds. */
  readonly budgetMs?: number;
  readonly signal?: AbortSignal;
}

/** @throws AdvisorError `EXTENSION_MISSING`, `NO_PERMISSION`, `TARGET_UNAVAILABLE` */
export function collect(
  _target: string,
  _request: CollectRequest,
  _options: CallOptions = {},
): Promise<Workload> {
  throw new Error("not yet");
}
