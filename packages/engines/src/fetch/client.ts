import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type RunContext, runTool } from "../context.ts";
import { fetchFailed, installCommand } from "../errors.ts";
import type { Way } from "./package.ts";

/** A package manager's program, as somebody who fetches with it. */
export interface PackageClient<W extends Way> {
  /** Programs that it takes, all on `PATH`. */
  readonly programs: readonly string[];
  /**
   * Fetches and unpacks.
   * @throws EngineError `FETCH_FAILED`
   */
  fetch(way: W, job: FetchJob): Promise<void>;
  /**
   * How much has arrived of what it is told to fetch, in bytes up to the way's own number; the size
   * of all downloads, where absent.
   */
  arrived?(way: W, downloads: string): Promise<number>;
}

export interface FetchJob {
  readonly context: RunContext;
  readonly engine: string;
  /** Where it is to be unpacked. */
  readonly folder: string;
  /** For what is downloaded. It outlives an interruption, and is removed once the package is complete. */
  readonly downloads: string;
  /** Paths of the client's programs, in their order. */
  readonly programs: readonly string[];
}

/**
 * Runs one step of fetching to its end, under the watcher.
 * @throws EngineError `FETCH_FAILED`
 */
export async function step(
  { context, engine }: Pick<FetchJob, "context" | "engine">,
  way: Way,
  launch: {
    readonly file: string;
    readonly args: readonly string[];
    readonly cwd: string;
    /** Besides our own. */
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const { ok, output } = await runTool(context, {
    ...launch,
    env: { ...environment(context), ...launch.env },
  });
  if (!ok) throw fetchFailed(way.what, way.client, output, installCommand(engine));
  return output;
}

/** Registries, proxies and certificates are what the user's environment says. */
export function environment({ env }: RunContext): Record<string, string> {
  const { NODE_OPTIONS: _, ...rest } = env;
  return Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Bytes in a folder that somebody is writing to. */
export async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sizeOf(path);
      return stat(path).then(
        ({ size }) => size,
        () => 0,
      );
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
