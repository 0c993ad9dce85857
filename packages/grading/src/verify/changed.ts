import { execFile } from "node:child_process";
import { relative, sep } from "node:path";
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
export function changedSubjects(
  kata: Kata,
  subjects: readonly Subject[],
  { root, files }: { root: string; files: readonly string[] },
): Subject[] {
  const touched = new Set<Subject>();
  const add = (matches: (subject: Subject) => boolean) => {
    for (const subject of subjects.filter(matches)) touched.add(subject);
  };
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
    if (part === "src") add(({ kind }) => kind === "reference" || kind === "mutant");
    else if (part === "starter") add(({ kind }) => kind === "starter");
    else if (part === "variants") {
      add((each) => (each.kind === "variant" && each.name === name) || each.mutant?.of === name);
    } else if (part === "mutants") add((each) => each.kind === "mutant" && each.name === name);
    else add(() => true);
  }
  return subjects.filter((subject) => touched.has(subject));
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
