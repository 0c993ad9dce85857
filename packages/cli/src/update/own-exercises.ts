/** Exercises of a workspace's owner, made by `kata new`: what their templates have to add to them. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOf, GeneratorError, type Surroundings, TEMPLATE_RECORD } from "@db-katas/generators";
import type { Workspace } from "../workspace.ts";
import { findRenames, isAnother, type Outcome } from "./merge-trees.ts";
import { type Content, isSame, parseRecord, type Recorded, readRecord, type Tree } from "./tree.ts";

export type Versions = Readonly<Record<string, string>>;

interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

export interface OwnExercise {
  /** Relative to the workspace's root. */
  readonly folder: string;
  /** What it was made from; undefined: nobody has recorded it, or nobody made it. */
  readonly base: Recorded | undefined;
}

/** @throws CliError `UPDATE_REFUSED` */
export async function ownExercises({ root }: Workspace): Promise<OwnExercise[]> {
  const names = await readdir(join(root, "projects")).catch(() => [] as string[]);
  return Promise.all(
    names.sort().map(async (name) => {
      const folder = `projects/${name}`;
      return { folder, base: await readRecord(join(root, folder)) };
    }),
  );
}

/**
 * What it would be made from now.
 * @param templates a folder of templates
 * @returns a text for people where it can't be made any more
 */
export async function exerciseTemplate(
  { asked }: Recorded,
  templates: string,
  surroundings: Surroundings,
): Promise<Recorded | string> {
  if (!asked) return "nothing says what it was asked to be";
  try {
    const files = await filesOf(asked, templates, surroundings);
    return parseRecord(files[TEMPLATE_RECORD] ?? "", "the new record");
  } catch (error) {
    if (error instanceof GeneratorError) return error.message.split("\n").join(" ");
    throw error;
  }
}

/**
 * An exercise begins as an example, which its author replaces: what they have removed or written anew is
 * theirs, and what the template makes of it now is no conflict.
 */
export function withoutReplaced(
  base: Tree,
  yours: Tree,
  theirs: Tree,
): { base: Tree; theirs: Tree; kept: Outcome[] } {
  const renamed = findRenames(base, yours, theirs);
  const replaced = new Map<string, string>();
  for (const [path, was] of base) {
    const mine = yours.get(path);
    if (!mine && !renamed.has(path)) replaced.set(path, "you have removed it");
    // Of JSON it is keys that are merged.
    if (mine && !path.endsWith(".json") && isAnother(was, mine)) {
      replaced.set(path, "you have written it anew");
    }
  }
  const kept = [...replaced]
    .filter(([path]) => !isSame(base.get(path), theirs.get(path)))
    .map(([path, why]) => ({
      path,
      state: "kept" as const,
      note: `the template has changed, but ${why}`,
    }));
  const rest = (tree: Tree) => new Map([...tree].filter(([path]) => !replaced.has(path)));
  return { base: rest(base), theirs: rest(theirs), kept };
}

/**
 * Of exercises that nothing is recorded of, package.json follows the workspace's, where nobody has changed
 * it since: two versions of the grader in one workspace would not know each other's errors.
 * @returns package.json files that change, by their paths
 */
export async function followVersions(
  { root }: Workspace,
  exercises: readonly OwnExercise[],
  [was, is]: readonly [was: Versions, is: Versions],
): Promise<Map<string, Content>> {
  const changed = new Map<string, Content>();
  for (const { folder } of exercises) {
    const path = `${folder}/package.json`;
    const text = await readFile(join(root, path), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    const followed = follow(text, was, is);
    if (followed !== undefined) {
      changed.set(path, { bytes: Buffer.from(followed), executable: false });
    }
  }
  return changed;
}

/** Undefined: there is nothing to follow, or nothing that could be read. */
function follow(text: string, was: Versions, is: Versions): string | undefined {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(text) as Manifest;
  } catch {
    return undefined;
  }
  let follows = false;
  for (const list of [manifest.dependencies, manifest.devDependencies]) {
    for (const [name, version] of Object.entries(list ?? {})) {
      const next = is[name];
      if (!list || next === undefined || next === version || was[name] !== version) continue;
      list[name] = next;
      follows = true;
    }
  }
  const indent = /^[ \t]+/m.exec(text)?.[0] ?? "  ";
  return follows ? `${JSON.stringify(manifest, null, indent)}\n` : undefined;
}

/** What a workspace's package.json asks for. */
export function versionsIn(manifest: string): Versions {
  return (JSON.parse(manifest) as Manifest).devDependencies ?? {};
}
