import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineRun, Lease, RunningEngine } from "@db-katas/engines";
import type { Kata } from "../kata.ts";
import { type Isolation, resourceLimits } from "../submission/isolation/isolation.ts";
import { AppProcess, NO_LIMIT_MS } from "../submission/process.ts";
import type { Submission } from "../submission/submission.ts";
import type { HeldCheck } from "./hold.ts";

/** The name of a process that prepares a store. */
export const MIGRATOR = "migrate";

/** One process that is there already, for whoever needs one first. */
export class Spare implements AsyncDisposable {
  #process: AppProcess | undefined;

  constructor(process: AppProcess | undefined) {
    this.#process = process;
  }

  take(): AppProcess | undefined {
    const process = this.#process;
    this.#process = undefined;
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.take()?.[Symbol.asyncDispose]();
  }
}

/** What all checks of one grade have in common, and what is particular to one. */
export interface CheckRun {
  readonly kata: Kata;
  readonly submission: Submission;
  /** Hash of the submission's files: the key of what its migrations prepared. */
  readonly fingerprint: string;
  readonly engines: EngineRun;
  readonly runSeed: number;
  readonly compileCache?: string | undefined;
  readonly resolutions?: string | undefined;
  /** Has loaded the submission, and waits for something to do. */
  readonly spare?: Spare | undefined;
  /** Told of every engine that the check met. */
  readonly onEngine: (engine: RunningEngine) => void;
  readonly replay: string;
  /** Where the submission is shut off from this machine. */
  readonly isolation?: Isolation | undefined;
  /** Called when the check did not pass; until it resolves, everything stays as it is. */
  readonly hold?: ((held: HeldCheck) => Promise<void>) | undefined;
  /** Set: app nodes wait for a debugger at that URL, and no time limit holds. */
  readonly onInspector?: ((node: string, url: string) => void) | undefined;
}

/** What the app nodes of a check have in common on disk. */
export interface Shared {
  readonly id: number;
  readonly folders: readonly string[];
}

/**
 * App nodes meet in an engine, and nowhere else: only where that is a file do they share a folder,
 * and then the user who owns it.
 */
export function sharedBy(
  isolation: Isolation,
  folder: string,
  leases: ReadonlyMap<string, Lease>,
): Shared | undefined {
  const all = [...leases.values()];
  if (all.some(({ engine }) => engine.capabilities.includes("network"))) return undefined;
  const files = all.map((lease) => dirname(fileURLToPath(lease.adminUrl)));
  return { id: isolation.newId(), folders: [folder, ...files] };
}

/** Starts a process of the submission, under the limits of its kata. */
export function spawnProcess(name: string, run: CheckRun, shared?: Shared): AppProcess {
  const { limits } = run.kata.definition;
  const { onInspector, isolation } = run;
  return new AppProcess({
    name,
    entry: run.submission.entry,
    cwd: run.submission.folder,
    exercise: run.kata.folder,
    memoryMb: limits.memoryMb,
    callMs: onInspector ? NO_LIMIT_MS : limits.callMs,
    engines: run.engines,
    compileCache: run.compileCache,
    resolutions: run.resolutions,
    ...(onInspector ? { onInspector: (url: string) => onInspector(name, url) } : {}),
    isolated: isolation && {
      isolation,
      id: shared?.id ?? isolation.newId(),
      folders: shared?.folders ?? [],
      limits: resourceLimits(limits),
    },
  });
}
