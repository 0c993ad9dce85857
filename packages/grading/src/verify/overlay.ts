import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Kata } from "../kata.ts";
import { findSubmission, type Submission } from "../submission/submission.ts";
import type { Mutant } from "./manifest.ts";
import { applyPatches, PATCH } from "./patch.ts";

/** The right answer that a mutant is made of, by its path in the exercise. */
export function originOf({ of }: Pick<Mutant, "of">): string {
  return of === undefined ? "src" : `variants/${of}`;
}

/**
 * Lays a mutant's files over the reference solution, or the variant that it names, and applies its
 * patches, in a folder of the project's own so that packages resolve as they do for the reference. The
 * folder is keyed by content and kept.
 * @throws GradingError `PATCH_STALE`
 */
export async function composeMutant(kata: Kata, mutant: Mutant): Promise<Submission> {
  const origin = originOf(mutant);
  // A variant may import from the reference, by the same relative paths.
  const sources = [...new Set(["src", origin])];
  const root = join(kata.folder, ".kata", "mutants");
  const key = await hashFolders(
    [...sources.map((path) => join(kata.folder, path)), mutant.folder],
    [join(kata.folder, "contract.ts")],
  );
  const composed = join(root, `${mutant.name}-${key}`);
  const found = async () => ({
    ...(await findSubmission(join(composed, origin), `mutant ${mutant.name}`)),
    folder: composed,
  });
  if (await stat(composed).catch(() => undefined)) return found();

  await mkdir(root, { recursive: true });
  for (const old of await readdir(root)) {
    if (old.startsWith(`${mutant.name}-`))
      await rm(join(root, old), { recursive: true, force: true });
  }
  // Made aside and renamed, so that two runs at once never see half of one.
  const draft = join(root, `.draft-${process.pid}-${mutant.name}-${key}`);
  try {
    for (const path of sources) {
      await cp(join(kata.folder, path), join(draft, path), { recursive: true });
    }
    await cp(join(kata.folder, "contract.ts"), join(draft, "contract.ts"));
    await cp(mutant.folder, join(draft, origin), {
      recursive: true,
      filter: (path) => !(relative(mutant.folder, path) === "mutant.json" || PATCH.test(path)),
    });
    await applyPatches(kata, mutant, origin, draft);
    await rename(draft, composed);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
  return found();
}

async function hashFolders(folders: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(await readFile(file));
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    for (const file of files) hash.update(relative(folder, file)).update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 12);
}
