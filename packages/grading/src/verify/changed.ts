import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { GradingError } from "../errors.ts";
import { type Kata, messageOf } from "../kata.ts";
import { randomFrom, seedFor } from "../seed.ts";
import type { Subject } from "./subjects.ts";

/** Parts of an exercise that change no verdict. */
const NO_MATTER = /^(?:test|web|bench|experiments)\/|\.md$|^\.kata-template\.json$/;

/**
 * Paths that differ from a commit, those that git does not know yet included, relative to the root
 * of the repository.
 * @throws GradingError `CHANGES_UNKNOWN`
 */
export async function changedFiles(
  folder: string,
  since: string,
): Promise<{ root: string; files: string[] }> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("git", ["-C", folder, ...args]);
    return stdout.split("\n").filter((line) => line !== "");
  };
  try {
    const [root = folder] = await git("rev-parse", "--show-toplevel");
    const [base = since] = await git("merge-base", since, "HEAD");
    const lists = await Promise.all([
      git("-C", root, "diff", "--name-only", base),
      git("-C", root, "ls-files", "--others", "--exclude-standard"),
    ]);
    return { root, files: lists.flat() };
  } catch (cause) {
    throw new GradingError("CHANGES_UNKNOWN", `git can't tell what changed since ${since}.`, {
      likelyCause: messageOf(cause).trim(),
      remedy: "name a commit that is here: --changed <commit>; or leave --changed away",
      cause,
    });
  }
}

/** The subjects whose verdicts may be others now: all of them where grading itself has changed. */
export async function changedSubjects(
  kata: Kata,
  subjects: readonly Subject[],
  { root, files }: { root: string; files: readonly string[] },
): Promise<Subject[]> {
  const touched = new Set<Subject>();
  const add = (matches: (subject: Subject) => boolean) => {
    for (const subject of subjects.filter(matches)) touched.add(subject);
  };
  const borrowers = await borrowersOf(join(kata.folder, "src"), subjects);
  const folder = relative(root, kata.folder).split(sep).join("/");
  for (const file of files) {
    const inside = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : undefined;
    if (inside === undefined) {
      const another = /^(?:projects|attempts|docs|generators)\//.test(file);
      if (!another && /\/|lock|tsconfig|package\.json/.test(file)) add(() => true);
      continue;
    }
    const [part = "", name = ""] = inside.split("/");
    if (NO_MATTER.test(inside)) continue;
    if (part === "src") {
      add((each) => ["reference", "mutant"].includes(each.kind) || borrowers.has(each));
    } else if (part === "starter") add(({ kind }) => kind === "starter");
    else if (part === "variants") {
      add((each) => (each.kind === "variant" && each.name === name) || each.mutant?.of === name);
    } else if (part === "mutants") add((each) => each.kind === "mutant" && each.name === name);
    else add(() => true);
  }
  return subjects.filter((subject) => touched.has(subject));
}

/** Variants that take files of the reference's: a change of those is one of theirs. */
async function borrowersOf(
  reference: string,
  subjects: readonly Subject[],
): Promise<ReadonlySet<Subject>> {
  const variants = subjects.filter(({ kind }) => kind === "variant");
  const borrows = await Promise.all(
    variants.map(async (variant) => reachesInto(reference, (await variant.open()).folder)),
  );
  return new Set(variants.filter((_, i) => borrows[i]));
}

/** By an import, or in any other text that is a relative path: SQL is read by its URL. */
async function reachesInto(target: string, folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sources = entries.filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name));
  for (const { parentPath, name } of sources) {
    const file = join(parentPath, name);
    const text = await readFile(file, "utf8");
    for (const [, path = ""] of text.matchAll(/["'`](\.\.?\/[^"'`\n]*)["'`]/g)) {
      if (`${resolve(dirname(file), path)}${sep}`.startsWith(`${target}${sep}`)) return true;
    }
  }
  return false;
}

/** So many mutants, drawn by the seed from those that are not chosen already. */
export function sampleMutants(
  subjects: readonly Subject[],
  chosen: readonly Subject[],
  count: number,
  seed: number,
): Subject[] {
  const rest = subjects.filter(({ kind }) => kind === "mutant").filter((s) => !chosen.includes(s));
  return randomFrom(seedFor(seed, "sample")).shuffle(rest).slice(0, count);
}
