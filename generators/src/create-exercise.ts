import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  folderNotWritable,
  nameIllegal,
  nameTaken,
  titleIllegal,
  titleMissing,
  workspaceNotFound,
} from "./errors.ts";
import { type ExerciseInput, type RenderedFile, renderExercise } from "./render.ts";

/** The templates that come with this package. */
export const defaultTemplates = join(import.meta.dirname, "..", "templates");

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const NAME_LENGTH = 50;
const TITLE_LENGTH = 80;

export interface CreateExerciseOptions extends ExerciseInput {
  /** The root of a workspace: it holds `projects/`. */
  readonly into: string;
  /** Check and render everything, write nothing. */
  readonly dryRun?: boolean | undefined;
  /** Default: those of this package. */
  readonly templates?: string | undefined;
}

/**
 * Makes a new exercise in `projects/<name>/`, whole or not at all. It grades and verifies as it is.
 * @returns the files written (or, in a dry run, those that would be), relative to `into`
 * @throws GeneratorError
 */
export async function createExercise(options: CreateExerciseOptions): Promise<string[]> {
  const { name, into, templates = defaultTemplates } = options;
  checkName(name);
  checkTitle(options.title);
  const root = resolve(into);
  await checkFree(root, name);
  const files = await renderExercise(templates, options);
  if (!options.dryRun) await writeWhole(root, name, files);
  return files.map((file) => `projects/${name}/${file.path}`);
}

/** @throws GeneratorError `NAME_ILLEGAL` */
export function checkName(name: string): void {
  if (NAME.test(name) && name.length <= NAME_LENGTH) return;
  const suggestion = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^[-0-9]+|-+$/g, "")
    .slice(0, NAME_LENGTH)
    .replace(/-$/, "");
  throw nameIllegal(name, suggestion);
}

/** @throws GeneratorError `TITLE_MISSING`, `TITLE_ILLEGAL` */
export function checkTitle(title: string): void {
  if (title.trim() === "") throw titleMissing();
  if (/\p{Cc}/u.test(title.trim()) || title.length > TITLE_LENGTH) throw titleIllegal();
}

/** @throws GeneratorError `WORKSPACE_NOT_FOUND`, `NAME_TAKEN` */
async function checkFree(root: string, name: string): Promise<void> {
  const projects = await stat(join(root, "projects")).catch(() => undefined);
  if (!projects?.isDirectory()) throw workspaceNotFound(root);
  if (await stat(join(root, "projects", name)).catch(() => undefined)) {
    throw nameTaken(name, `the folder projects/${name}`);
  }
  const owner = (await packagesIn(root)).get(`@db-katas/${name}`);
  if (owner) throw nameTaken(name, `the package in ${owner}`);
}

/** The workspace's packages by name: an exercise becomes one of them, and names are unique. */
async function packagesIn(root: string): Promise<Map<string, string>> {
  const groups = await Promise.all(
    ["packages", "projects"].map(async (group) =>
      (await readdir(join(root, group)).catch(() => [])).map((folder) => `${group}/${folder}`),
    ),
  );
  const packages = new Map<string, string>();
  for (const folder of [...groups.flat(), "generators"]) {
    const text = await readFile(join(root, folder, "package.json"), "utf8").catch(() => "{}");
    const name = /"name":\s*"([^"]+)"/.exec(text)?.[1];
    if (name !== undefined) packages.set(name, folder);
  }
  return packages;
}

/** Writes aside and renames: an exercise is there whole or not at all. */
async function writeWhole(
  root: string,
  name: string,
  files: readonly RenderedFile[],
): Promise<void> {
  const target = join(root, "projects", name);
  const draft = join(root, ".kata", "drafts", `${name}-${randomUUID()}`);
  try {
    for (const { path, content } of files) {
      const file = join(draft, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else was quicker.
    if (code === "ENOTEMPTY" || code === "EEXIST") {
      if (await stat(target).catch(() => undefined)) {
        throw nameTaken(name, `the folder projects/${name}`);
      }
    }
    throw folderNotWritable(join(root, "projects"), error);
  }
}
