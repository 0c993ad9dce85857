/** Builds and drops on the target. */
import type { ApplyRequest, ApplyResult } from "../contract.ts";
import type { CallOptions } from "./collect.ts";

/** @throws AdvisorError `NO_PERMISSION`, `TARGET_UNAVAILABLE` */
export function apply(
  _target: string,
  _request: ApplyRequest,
  _options: CallOptions = {},
): Promise<ApplyResult> {
  throw new Error("not yet");
}
