import type { Lease } from "@db-katas/engines";
import type { Check } from "../check.ts";
import { engineOf } from "../kata.ts";
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
  /** The engine's role in the exercise. */
  readonly role: string;
  /** The engine by name, as the exercise asks for it. */
  readonly engine: string;
  readonly namespace: string;
  /** Full rights on the check's own namespace, past every proxy. */
  readonly adminUrl: string;
}

export function heldCheck(
  check: Check,
  result: CheckResult,
  leases: ReadonlyMap<string, Lease>,
  processes: ReadonlyMap<string, AppProcess>,
): HeldCheck {
  return {
    result,
    engines: [...leases].map(([role, { namespace, adminUrl }]) => ({
      role,
      engine: engineOf(role, check.engines[role] ?? {}),
      namespace,
      adminUrl,
    })),
    nodes: [...processes.values()].map(({ name, pid }) => ({ name, pid })),
    faults: (result.timeline ?? [])
      .filter(({ kind, tookMs }) => kind === "fault" && tookMs === undefined)
      .map(({ text }) => text),
  };
}
