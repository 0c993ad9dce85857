/** Removes what servers left on disk, and in the kernel, when they could not tidy up themselves. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { processRef } from "./processes.ts";

/** A System V shared memory segment, and who made it. */
export interface Segment {
  readonly id: string;
  readonly owner: number;
}

/**
 * A killed PostgreSQL leaves a segment behind that outlives every process (it guards its data folder
 * against a second server), and a machine has room for 4,096 of them; its id is in `postmaster.pid`,
 * line 7 (PostgreSQL source, pidfile.h).
 */
export function segmentsIn(folder: string): Segment[] {
  return pidFiles(folder, 3).flatMap((file) => {
    const lines = contentOf(file).split("\n");
    const id = lines[6]?.trim().split(/\s+/)[1];
    return id ? [{ id, owner: Number(lines[0]) }] : [];
  });
}

/**
 * Removes a folder of killed servers' data.
 * @param segments where they had to be looked for earlier
 */
export function removeData(folder: string, segments = segmentsIn(folder)): void {
  for (const { id, owner } of segments) {
    // Not by signal 0: a killed server may still be a zombie.
    if (processRef(owner)) continue;
    try {
      execFileSync("ipcrm", ["-m", id], { stdio: "ignore" });
    } catch {
      // It is gone already, or this system has no ipcrm.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
}

/** Empty where it can't be read: nobody's end may depend on that. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function pidFiles(folder: string, depth: number): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  if (names.includes("postmaster.pid")) return [join(folder, "postmaster.pid")];
  if (depth === 0) return [];
  return names
    .map((name) => join(folder, name))
    .filter(isFolder)
    .flatMap((each) => pidFiles(each, depth - 1));
}

/** Or a link to one: a server's small disk is behind such a link. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
