import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Kata } from "../kata.ts";
import { findSubmission, type Submission } from "../submission/submission.ts";
import type { Mutant } from "./manifest.ts";
import { applyPatches, PATCH } from "./patch.ts";

/**
 * Lays a mutant's files over the reference solution and applies its patches, in a folder of the
 * project's own so that packages resolve as they do for the reference. The folder is keyed by content
 * and kept.
 * @throws GradingError `PATCH_STALE`
 */
export async function composeMutant(kata: Kata, mutant: Mutant): Promise<Submission> {
  const source = join(kata.folder, "src");
  const root = join(kata.folder, ".kata", "mutants");
  const key = await hashFolders([source, mutant.folder], [join(kata.folder, "contract.ts")]);
  const composed = join(root, `${mutant.name}-${key}`);
  const label = `mutant ${mutant.name}`;
  if (await stat(composed).catch(() => undefined)) return findSubmission(composed, label);

  await mkdir(root, { recursive: true });
  for (const old of await readdir(root)) {
    if (old.startsWith(`${mutant.name}-`))
      await rm(join(root, old), { recursive: true, force: true });
  }
  // Made aside and renamed, so that two runs at once never see half of one.
  const draft = join(root, `.draft-${process.pid}-${mutant.name}-${key}`);
  try {
    await cp(source, join(draft, "src"), { recursive: true });
    await cp(join(kata.folder, "contract.ts"), join(draft, "contract.ts"));
    await cp(mutant.folder, join(draft, "src"), {
      recursive: true,
      filter: (path) => !(relative(mutant.folder, path) === "mutant.json" || PATCH.test(path)),
    });
    await applyPatches(kata, mutant, draft);
    await rename(draft, composed);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
  return findSubmission(composed, label);
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
