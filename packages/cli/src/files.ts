import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/** Something in a folder that is no folder. */
export interface FoundFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly kind: "file" | "link" | "other";
  readonly bytes: number;
  readonly executable: boolean;
}

/** What tools make and fetch, and what we keep for ourselves: nobody has written it. */
const NOT_WRITTEN = new Set(["node_modules", "dist", "coverage"]);

/** What somebody has written into a folder, in the order of its paths. Links are told, not followed. */
export async function listFiles(folder: string, below = ""): Promise<FoundFile[]> {
  const names = await readdir(join(folder, below)).catch(() => [] as string[]);
  const found: FoundFile[] = [];
  for (const name of names) {
    const path = below ? `${below}/${name}` : name;
    const entry = await lstat(join(folder, path));
    if (entry.isDirectory()) {
      // Of hidden folders none is part of an exercise: .git, .kata, .turbo, an editor's.
      if (!NOT_WRITTEN.has(name) && !name.startsWith(".")) {
        found.push(...(await listFiles(folder, path)));
      }
    } else {
      const kind = entry.isFile() ? "file" : entry.isSymbolicLink() ? "link" : "other";
      const executable = (entry.mode & 0o111) !== 0;
      found.push({ path, kind, bytes: entry.size, executable });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Git's rule: what has a zero byte near its beginning is no text. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8_000).includes(0);
}
