import type { Lease } from "@db-katas/engines";
import type { CheckResult } from "../report/scorecard.ts";
import type { AppProcess } from "../submission/process.ts";

/** A check that did not pass, before anything of it is given back. */
export interface HeldCheck {
  readonly result: CheckResult;
  readonly engines: readonly HeldEngine[];
  readonly nodes: readonly { readonly name: string; readonly pid: number | undefined }[];
  /** Faults that the check injected and did not heal. */
  readonly faults: readonly string[];
}

export interface HeldEngine {
  readonly name: string;
  readonly namespace: string;
  /** Full rights on the check's own namespace, past every proxy. */
  readonly adminUrl: string;
}

export function heldCheck(
  result: CheckResult,
  leases: ReadonlyMap<string, Lease>,
  processes: ReadonlyMap<string, AppProcess>,
): HeldCheck {
  return {
    result,
    engines: [...leases].map(([name, { namespace, adminUrl }]) => ({ name, namespace, adminUrl })),
    nodes: [...processes.values()].map(({ name, pid }) => ({ name, pid })),
    faults: (result.timeline ?? [])
      .filter(({ kind, tookMs }) => kind === "fault" && tookMs === undefined)
      .map(({ text }) => text),
  };
}
