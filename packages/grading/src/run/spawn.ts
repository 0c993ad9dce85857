import type { EngineRun, RunningEngine } from "@db-katas/engines";
import type { Kata } from "../kata.ts";
import { AppProcess, NO_LIMIT_MS } from "../submission/process.ts";
import type { Submission } from "../submission/submission.ts";
import type { HeldCheck } from "./hold.ts";

/** What all checks of one grade have in common, and what is particular to one. */
export interface CheckRun {
  readonly kata: Kata;
  readonly submission: Submission;
  /** Hash of the submission's files: the key of what its migrations prepared. */
  readonly fingerprint: string;
  readonly engines: EngineRun;
  readonly runSeed: number;
  readonly compileCache?: string | undefined;
  /** Told of every engine that the check met. */
  readonly onEngine: (engine: RunningEngine) => void;
  readonly replay: string;
  /** Called when the check did not pass; until it resolves, everything stays as it is. */
  readonly hold?: ((held: HeldCheck) => Promise<void>) | undefined;
  /** Set: app nodes wait for a debugger at that URL, and no time limit holds. */
  readonly onInspector?: ((node: string, url: string) => void) | undefined;
}

/** Starts a process of the submission, under the limits of its kata. */
export function spawnProcess(name: string, run: CheckRun): AppProcess {
  const { memoryMb, callMs } = run.kata.definition.limits;
  const { onInspector } = run;
  return new AppProcess({
    name,
    entry: run.submission.entry,
    cwd: run.submission.folder,
    exercise: run.kata.folder,
    memoryMb,
    callMs: onInspector ? NO_LIMIT_MS : callMs,
    engines: run.engines,
    compileCache: run.compileCache,
    ...(onInspector ? { onInspector: (url: string) => onInspector(name, url) } : {}),
  });
}
