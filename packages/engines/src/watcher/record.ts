/** What a watcher writes down about its run, for those who tidy up when it can't. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessRef } from "./processes.ts";
import type { ContainerScope } from "./protocol.ts";

export const recordFile = "run.json";

export interface RunRecord {
  readonly watcher: ProcessRef;
  readonly processes: readonly ProcessRef[];
  readonly folders: readonly string[];
  /** Absent in those of older versions. */
  readonly containers?: readonly ContainerScope[];
}

/**
 * Replaces it as a whole: whoever is killed meanwhile leaves the one before, not half of one. So does
 * a disk that is full, and nobody fails for it: processes are found without a record, too.
 */
export function writeRecord(folder: string, record: RunRecord): void {
  const file = join(folder, recordFile);
  try {
    writeFileSync(`${file}.new`, JSON.stringify(record));
    renameSync(`${file}.new`, file);
  } catch {
    // Said above.
  }
}

export function readRecord(folder: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, recordFile), "utf8")) as RunRecord;
  } catch {
    return undefined;
  }
}
