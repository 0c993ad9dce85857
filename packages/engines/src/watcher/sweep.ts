/** Clears away what earlier runs left whose watcher was killed too. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeContainers } from "./containers.ts";
import { isAlive, killTree, type ProcessRef } from "./processes.ts";
import type { ContainerScope } from "./protocol.ts";
import { removeData, segmentsIn } from "./remove.ts";
import { runParents } from "./run-folder.ts";

export const folderPrefix = "db-katas-";
const runFolder = new RegExp(`^${folderPrefix}[0-9a-f]{8}$`);
export const recordFile = "run.json";

/** What a watcher writes down about its run. */
export interface RunRecord {
  readonly watcher: ProcessRef;
  readonly processes: readonly ProcessRef[];
  readonly folders: readonly string[];
  readonly containers: readonly ContainerScope[];
}

/** A folder without a record may be one that is just being made. */
const youngMs = 60_000;

/** Looks for runs wherever runs may have their folders and ends those whose watcher is dead. */
export async function sweep(ownFolder: string): Promise<void> {
  for (const parent of new Set([dirname(ownFolder), ...runParents()])) {
    for (const entry of readdirSync(parent)) {
      const folder = join(parent, entry);
      if (!runFolder.test(entry) || folder === ownFolder) continue;
      await sweepRun(folder).catch(() => {});
    }
  }
}

/** Ends one run if its watcher is dead; leaves it alone otherwise. */
export async function sweepRun(folder: string): Promise<void> {
  const stats = statSync(folder);
  // Somebody else's folder in a shared temporary directory is none of our business.
  if (process.getuid && stats.uid !== process.getuid()) return;
  let record: RunRecord | undefined;
  try {
    record = JSON.parse(readFileSync(join(folder, recordFile), "utf8")) as RunRecord;
  } catch {
    if (Date.now() - stats.mtimeMs < youngMs) return;
  }
  if (record && isAlive(record.watcher)) return;
  // Before the end of those who hold small disks, as the watcher does.
  const left = [...(record?.folders ?? []), folder].map(
    (each) => [each, segmentsIn(each)] as const,
  );
  await Promise.allSettled((record?.processes ?? []).map((ref) => killTree(ref)));
  // A record of an older version has none.
  const containers = record?.containers ?? [];
  await Promise.allSettled(containers.map((scope) => removeContainers(scope, false)));
  for (const [each, segments] of left) removeData(each, segments);
}
