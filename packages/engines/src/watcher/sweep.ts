/** Clears away what earlier runs left whose watcher was killed too. */
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeContainers } from "./containers.ts";
import { isAlive, killTree, processesOf } from "./processes.ts";
import { readRecord } from "./record.ts";
import { removeData, segmentsIn } from "./remove.ts";
import { allRunParents } from "./run-folder.ts";

export const folderPrefix = "db-katas-";
const runFolder = new RegExp(`^${folderPrefix}[0-9a-f]{8}$`);

/** A folder without a record may be one that is just being made. */
const youngMs = 60_000;

/** Looks for runs wherever runs may have their folders and ends those whose watcher is dead. */
export async function sweep(ownFolder: string): Promise<void> {
  for (const parent of new Set([dirname(ownFolder), ...allRunParents()])) {
    for (const entry of entriesOf(parent)) {
      const folder = join(parent, entry);
      if (!runFolder.test(entry) || folder === ownFolder) continue;
      await sweepRun(folder).catch(() => {});
    }
  }
}

/** Ends one run if its watcher is dead; leaves it alone otherwise. */
async function sweepRun(folder: string): Promise<void> {
  const stats = statSync(folder);
  // Somebody else's folder in a shared temporary directory is none of our business.
  if (process.getuid && stats.uid !== process.getuid()) return;
  const record = readRecord(folder);
  if (record ? isAlive(record.watcher) : Date.now() - stats.mtimeMs < youngMs) return;
  await endRun(folder);
}

/** Ends what is left of a run whose watcher is dead, as the watcher would have. */
export async function endRun(folder: string): Promise<void> {
  const { processes = [], folders = [], containers = [] } = readRecord(folder) ?? {};
  // Before the end of those who hold small disks, as the watcher does.
  const left = [...folders, folder].map((each) => [each, segmentsIn(each)] as const);
  // It may have died before it had written down whom it has just started.
  const doomed = [...processes, ...processesOf(folder)];
  await Promise.allSettled(doomed.map((ref) => killTree(ref)));
  await Promise.allSettled(containers.map((scope) => removeContainers(scope, false)));
  for (const [each, segments] of left) removeData(each, segments);
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
