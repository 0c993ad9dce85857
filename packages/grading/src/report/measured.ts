import { NOT_LOADED } from "../run/preflight.ts";
import type { CheckResult } from "./scorecard.ts";

/**
 * Whether a check failed because a task is not written yet: that is how a starter says so. Who waits
 * for an answer (`t.eventually`) is told of the last one that came.
 */
export function waitsForTask({ failure }: Pick<CheckResult, "failure">): boolean {
  return /task \d+/i.test(`${failure?.message} ${failure?.received}`);
}

/**
 * Whether a check has put an answer to the test. It has not where it was skipped, could not be run, or
 * met code that doesn't load or that waits for its task.
 */
export function isMeasured(check: Pick<CheckResult, "verdict" | "failure">): boolean {
  if (check.verdict === "passed") return true;
  if (!["failed", "timed out", "crashed"].includes(check.verdict)) return false;
  return !check.failure?.message.startsWith(NOT_LOADED) && !waitsForTask(check);
}
