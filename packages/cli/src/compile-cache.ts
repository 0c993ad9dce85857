import { readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "@db-katas/engines/cache";

/** A clone with everything that it verifies has about 8,000; an entry has about 10 KiB. */
const MOST_ENTRIES = 25_000;

/**
 * Where the command's own code is kept. Not where submissions have theirs: they can write there, and
 * what they left would run as the grader.
 */
export function ownCompileCache(): string {
  return join(cacheFolder(), "compile-cache-of-kata");
}

/**
 * Where Node keeps compiled code between processes. It adds an entry for each state of each file, and
 * never takes one away; when there are too many, all go, and the next processes start a little slower.
 * @param folder default: in our cache
 */
export async function openCompileCache(
  folder: string = join(cacheFolder(), "compile-cache"),
  most: number = MOST_ENTRIES,
): Promise<string> {
  const versions = await readdir(folder).catch(() => []);
  const entries = await Promise.all(
    versions.map((version) => readdir(join(folder, version)).catch(() => [])),
  );
  if (entries.flat().length > most) await discard(folder);
  return folder;
}

async function discard(folder: string): Promise<void> {
  // Aside first: whoever uses it at this moment goes on writing into it.
  const old = `${folder}.${process.pid}`;
  try {
    await rename(folder, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return; // somebody else was quicker
  }
  await rm(old, { recursive: true, force: true });
}
