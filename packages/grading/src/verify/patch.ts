import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { applyPatch, parsePatch, type StructuredPatch } from "diff";
import { GradingError } from "../errors.ts";
import { type Kata, messageOf } from "../kata.ts";
import type { Mutant } from "./manifest.ts";

export const PATCH = /\.patch$/;

/**
 * Changes a copy of a right answer as the mutant's patches say: unified diffs, as `git diff --relative`
 * prints them in the exercise's folder. Lines may have moved since; what surrounds them may not have
 * changed.
 * @param origin the answer, by its path in the exercise: `src`, or a variant's
 * @param copy the folder that holds a copy of it, at that path
 * @throws GradingError `PATCH_STALE` when one no longer fits, or is none
 */
export async function applyPatches(
  kata: Kata,
  mutant: Mutant,
  origin: string,
  copy: string,
): Promise<void> {
  const files = (await readdir(mutant.folder)).filter((name) => PATCH.test(name));
  for (const name of files.sort()) {
    const path = join(mutant.folder, name);
    const stale = (why: string, cause?: unknown) => patchStale(kata, origin, path, why, cause);
    for (const patch of parsed(await readFile(path, "utf8"), stale)) {
      const file = patch.newFileName?.replace(/^b\//, "") ?? "";
      // The copy is the only thing that a mutant may change.
      if (!file.startsWith(`${origin}/`) || file.includes("..")) {
        throw stale(`it changes ${file || "no file"}, which is not in ${origin}/`);
      }
      // What git diff says where the commit, or the index, knows no such file.
      if (patch.oldFileName === "/dev/null") {
        throw stale(`it makes ${file}; a file of a mutant's own lies beside its patch`);
      }
      const target = join(copy, file);
      const source = await readFile(target, "utf8").catch((cause: unknown) => {
        throw stale(`there is no ${file} any more`, cause);
      });
      const changed = applyPatch(source, patch);
      if (changed === false) throw stale(`${file} has changed since it was made`);
      // A new file: the old one may be shared with the reference.
      await rm(target, { force: true });
      await writeFile(target, changed);
    }
  }
}

type Stale = (likelyCause: string, cause?: unknown) => GradingError;

function parsed(text: string, stale: Stale): StructuredPatch[] {
  try {
    const patches = parsePatch(text).filter(({ hunks }) => hunks.length > 0);
    if (patches.length > 0) return patches;
  } catch (cause) {
    throw stale(messageOf(cause), cause);
  }
  throw stale("there is no change in it");
}

function patchStale(
  kata: Kata,
  origin: string,
  path: string,
  likelyCause: string,
  cause?: unknown,
): GradingError {
  const whom = origin === "src" ? "the reference solution" : origin;
  return new GradingError("PATCH_STALE", `${path} does not fit ${whom}.`, {
    likelyCause,
    remedy: [
      `cd ${kata.folder}`,
      `make the change in ${origin}/ by hand`,
      `git diff --relative -- ${origin} > ${relative(kata.folder, path)}`,
      `git checkout -- ${origin}`,
    ].join("; "),
    cause,
  });
}
