/** Removes what servers left on disk, and in the kernel, when they could not tidy up themselves. */
import { execFileSync } from "node:child_process";
import { type Dirent, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { processRef } from "./processes.ts";

/**
 * Removes a folder of killed servers' data. A killed PostgreSQL leaves a System V segment behind
 * that outlives every process (it guards its data folder against a second server), and a machine
 * has room for 4,096 of them; its id is in `postmaster.pid`, line 7 (PostgreSQL source, pidfile.h).
 */
export function removeData(folder: string): void {
  for (const file of pidFiles(folder, 3)) {
    const lines = readFileSync(file, "utf8").split("\n");
    const id = lines[6]?.trim().split(/\s+/)[1];
    // Not by signal 0: a killed server may still be a zombie.
    if (!id || processRef(Number(lines[0]))) continue;
    try {
      execFileSync("ipcrm", ["-m", id], { stdio: "ignore" });
    } catch {
      // It is gone already, or this system has no ipcrm.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

function pidFiles(folder: string, depth: number): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  if (entries.some((entry) => entry.name === "postmaster.pid"))
    return [join(folder, "postmaster.pid")];
  if (depth === 0) return [];
  return entries.flatMap((entry) =>
    entry.isDirectory() ? pidFiles(join(folder, entry.name), depth - 1) : [],
  );
}
