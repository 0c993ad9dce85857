import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { applyPatch, parsePatch, type StructuredPatch } from "diff";
import { GradingError } from "../errors.ts";
import { type Kata, messageOf } from "../kata.ts";
import type { Mutant } from "./manifest.ts";

export const PATCH = /\.patch$/;

/**
 * Changes a copy of the reference as the mutant's patches say: unified diffs, as `git diff --relative`
 * prints them in the exercise's folder. Lines may have moved since; what surrounds them may not have
 * changed.
 * @param copy the folder that holds `src/`
 * @throws GradingError `PATCH_STALE` when one no longer fits, or is none
 */
export async function applyPatches(kata: Kata, mutant: Mutant, copy: string): Promise<void> {
  const files = (await readdir(mutant.folder)).filter((name) => PATCH.test(name));
  for (const name of files.sort()) {
    const path = join(mutant.folder, name);
    for (const patch of parsed(kata, path, await readFile(path, "utf8"))) {
      const file = patch.newFileName?.replace(/^b\//, "") ?? "";
      // The copy is the only thing that a mutant may change.
      if (!file.startsWith("src/") || file.includes("..")) {
        throw stale(kata, path, `it changes ${file || "no file"}, which is not in src/`);
      }
      // What git diff says where the commit, or the index, knows no such file.
      if (patch.oldFileName === "/dev/null") {
        throw stale(kata, path, `it makes ${file}; a file of a mutant's own lies beside its patch`);
      }
      const target = join(copy, file);
      const source = await readFile(target, "utf8").catch((cause: unknown) => {
        throw stale(kata, path, `there is no ${file} any more`, cause);
      });
      const changed = applyPatch(source, patch);
      if (changed === false) throw stale(kata, path, `${file} has changed since it was made`);
      // A new file: the old one may be shared with the reference.
      await rm(target, { force: true });
      await writeFile(target, changed);
    }
  }
}

function parsed(kata: Kata, path: string, text: string): StructuredPatch[] {
  try {
    const patches = parsePatch(text).filter(({ hunks }) => hunks.length > 0);
    if (patches.length > 0) return patches;
  } catch (cause) {
    throw stale(kata, path, messageOf(cause), cause);
  }
  throw stale(kata, path, "there is no change in it");
}

function stale(kata: Kata, path: string, likelyCause: string, cause?: unknown): GradingError {
  return new GradingError("PATCH_STALE", `${path} does not fit the reference solution.`, {
    likelyCause,
    remedy: [
      `cd ${kata.folder}`,
      "make the change in src/ by hand",
      `git diff --relative -- src > ${relative(kata.folder, path)}`,
      "git checkout -- src",
    ].join("; "),
    cause,
  });
}
