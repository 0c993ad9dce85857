/** Where runs keep their servers' data. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { freemem, tmpdir } from "node:os";

const sharedMemory = "/dev/shm";
/** Where others may pass, whatever else is closed to them. */
export const lastResort = "/tmp";
/** What must be free, in memory and in the folder: servers of a run hold some hundred MiB. */
const roomBytes = 3 * 2 ** 30;

/**
 * The best one first. `KATA_RUNS` names it. Else Linux's folder in memory, where there is room:
 * a database is cloned there in a quarter of the time, and nobody waits for a disk that is busy.
 * What a killed server has written survives there as it does on a disk without fsync. Last the
 * folder for temporary files.
 */
export function runParents(env: NodeJS.ProcessEnv = process.env): [string, ...string[]] {
  if (env.KATA_RUNS) return [env.KATA_RUNS];
  return process.platform === "linux" && hasRoom(sharedMemory)
    ? [sharedMemory, tmpdir()]
    : [tmpdir()];
}

/** Wherever runs may have been, also when there was more room. */
export function allRunParents(env: NodeJS.ProcessEnv = process.env): string[] {
  return [...(env.KATA_RUNS ? [env.KATA_RUNS] : []), sharedMemory, tmpdir(), lastResort];
}

function hasRoom(folder: string): boolean {
  try {
    if (!existsSync(folder)) return false;
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= roomBytes && freemem() >= roomBytes;
  } catch {
    return false;
  }
}
