import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EngineRun } from "@db-katas/engines";
import type { Isolation, ResourceLimits } from "./isolation/isolation.ts";
import { MARK } from "./strays.ts";

const HOST = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./app/host.ts" : "./app/host.js", import.meta.url),
);
/**
 * Where V8 begins with its space for young objects, in MiB (its own choice is 1, growing to 16). A node
 * that only starts and answers some calls is then done before the first collection: 3 % less CPU.
 */
const YOUNG_SPACE_MB = 16;

export interface AppProcessOptions {
  readonly name: string;
  /** The submission's `index.ts`. */
  readonly entry: string;
  readonly cwd: string;
  /** The exercise's folder: where packages that the submission lacks are looked for. */
  readonly exercise: string;
  readonly memoryMb: number;
  readonly callMs: number;
  readonly engines: EngineRun;
  /** Where Node keeps compiled code between processes. */
  readonly compileCache?: string | undefined;
  /** Where one process leaves for the next what imports resolve to. */
  readonly resolutions?: string | undefined;
  /** Set: before any of its code runs it waits, on loopback, for a debugger at the URL told here. */
  readonly onInspector?: (url: string) => void;
  /** Shuts it off from this machine. */
  readonly isolated?: Isolated | undefined;
}

export interface Isolated {
  readonly isolation: Isolation;
  /** As whom it runs. */
  readonly id: number;
  /** Folders of this machine that it may write. */
  readonly folders: readonly string[];
  readonly limits: ResourceLimits;
}

/**
 * Starts the process of an app node: whatever its submission is, alone or isolated.
 * @param mark by which what it leaves behind is found again
 */
export function launch(options: AppProcessOptions, mark: string): ChildProcess {
  const flags = [
    `--max-old-space-size=${options.memoryMb}`,
    `--min-semi-space-size=${YOUNG_SPACE_MB}`,
    "--disable-warning=ExperimentalWarning",
    ...(options.onInspector ? ["--inspect-wait=127.0.0.1:0"] : []),
  ];
  if (options.isolated) {
    const { isolation, id, folders, limits } = options.isolated;
    const { cwd, exercise } = options;
    return isolation.launch(id, { flags, exercise, cwd, env: environment(), folders, limits });
  }
  const resolutions = options.resolutions ? [options.resolutions] : [];
  return spawn(process.execPath, [...flags, HOST, options.exercise, ...resolutions], {
    cwd: options.cwd,
    // A group of its own: what a submission starts ends with it, and Ctrl-C reaches only us.
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    env: { ...environment(options.compileCache), [MARK]: mark },
  });
}

/** Nothing of the grader's environment (engine credentials above all) reaches a submission. */
function environment(compileCache?: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { NODE_ENV: "production", TZ: "UTC" };
  for (const name of ["PATH", "LANG", "TMPDIR", "TEMP", "SystemRoot"]) {
    if (process.env[name] !== undefined) env[name] = process.env[name];
  }
  if (compileCache) env.NODE_COMPILE_CACHE = compileCache;
  return env;
}
