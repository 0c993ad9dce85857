import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ProcessRef, processTree } from "@db-katas/engines";

const PAGE_BYTES = 4096;
const MIB = 1 << 20;

/**
 * Memory of a process and its descendants in MiB, what it shares with others not counted: pages of
 * programs and libraries. 0 where the system has no /proc.
 */
export function memoryOf(ref: ProcessRef): number {
  const pages = processTree(ref).map(({ pid }) => {
    try {
      const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, "latin1").split(" ");
      return Number(resident) - Number(shared);
    } catch {
      return 0;
    }
  });
  return (pages.reduce((sum, each) => sum + each, 0) * PAGE_BYTES) / MIB;
}

/** Size of the files in folders in MiB. */
export async function sizeOf(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of names) {
      const found = await stat(join(folder, name)).catch(() => undefined);
      bytes += found?.isFile() ? found.blocks * 512 : 0;
    }
  }
  return bytes / MIB;
}
