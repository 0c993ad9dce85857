import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { applyChanges, type Change } from "./changes.ts";
import { GeneratorError, nameTaken, workspaceNotFound } from "./errors.ts";
import { checkName, checkTitle } from "./names.ts";
import { asTypedWith, type PackageManager, packageManagerOf } from "./package-manager.ts";
import { type ExerciseInput, renderExercise } from "./render.ts";
import { checkShape } from "./shapes.ts";
import { type AskedExercise, recordOfTexts, TEMPLATE_RECORD } from "./template-record.ts";

/** The templates that come with this package. */
export const defaultTemplates = join(import.meta.dirname, "..", "templates");

export interface CreateExerciseOptions extends ExerciseInput {
  /** The root of a workspace: it holds a package.json or `projects/`. */
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
  const { name, into, dryRun } = options;
  const changes = await planExercise(options);
  if (!dryRun) {
    await applyChanges(resolve(into), changes).catch((error: unknown) => {
      // Somebody else was quicker.
      const taken = error instanceof GeneratorError && error.code === "PATH_TAKEN";
      throw taken ? nameTaken(name, `the folder projects/${name}`) : error;
    });
  }
  return changes.map(({ path }) => path);
}

/**
 * The files of a new exercise, in memory.
 * @throws GeneratorError
 */
export async function planExercise(options: CreateExerciseOptions): Promise<Change[]> {
  const { name, into, templates = defaultTemplates } = options;
  checkName(name);
  checkTitle(options.title);
  const root = resolve(into);
  await checkFree(root, name);
  const versions = options.versions ?? (await versionsOf(root));
  const asked: AskedExercise = {
    name,
    title: options.title,
    engines: options.engines,
    shape: options.shape ?? "library",
    date: (options.date ?? new Date()).toISOString().slice(0, 10),
    ...(options.empty && { empty: true }),
  };
  const files = await filesOf(asked, templates, { versions, pm: packageManagerOf(root) });
  return Object.entries(files).map(([path, content]) => ({
    path: `projects/${name}/${path}`,
    content,
  }));
}

/** What an exercise takes over from the workspace that it is in. */
export interface Surroundings {
  /** What its package.json asks for. */
  readonly versions: Readonly<Record<string, string>>;
  readonly pm: PackageManager | undefined;
}

/**
 * The files that an exercise is made of, its record among them.
 * @throws GeneratorError `ENGINE_UNKNOWN`, `ENGINE_WITHOUT_TEMPLATES`, `SHAPE_UNKNOWN`, `TEMPLATES_TOO_NEW`
 */
export async function filesOf(
  asked: AskedExercise,
  templates: string,
  { versions, pm = "pnpm" }: Surroundings,
): Promise<Record<string, string>> {
  const { shape, date, ...input } = asked;
  const rendered = await renderExercise(templates, {
    ...input,
    shape: checkShape(shape),
    date: new Date(date),
    versions,
  });
  const files = Object.fromEntries(
    rendered.map(({ path, content }) => [
      path,
      path.endsWith(".md") ? asTypedWith(pm, content) : content,
    ]),
  );
  const record = recordOfTexts(files, await packageOf(templates), asked);
  return { [TEMPLATE_RECORD]: record, ...files };
}

/** Templates lie in a package, beside its manifest. */
async function packageOf(templates: string): Promise<string> {
  const text = await readFile(join(templates, "..", "package.json"), "utf8").catch(() => "{}");
  const { name = "templates", version = "0.0.0" } = JSON.parse(text);
  return `${name}@${version}`;
}

/** @throws GeneratorError `WORKSPACE_NOT_FOUND`, `NAME_TAKEN` */
async function checkFree(root: string, name: string): Promise<void> {
  const marks = await Promise.all(
    ["projects", "package.json"].map((mark) => stat(join(root, mark)).catch(() => undefined)),
  );
  if (marks.every((mark) => mark === undefined)) throw workspaceNotFound(root);
  if (await stat(join(root, "projects", name)).catch(() => undefined)) {
    throw nameTaken(name, `the folder projects/${name}`);
  }
  const owner = (await packagesIn(root)).get(`@db-katas/${name}`);
  if (owner) throw nameTaken(name, `the package in ${owner}`);
}

/** What a workspace asks for itself. */
async function versionsOf(root: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, "package.json"), "utf8").catch(() => "{}");
  return (JSON.parse(text) as { devDependencies?: Record<string, string> }).devDependencies ?? {};
}

/** The workspace's packages by name: an exercise becomes one of them, and names are unique. */
async function packagesIn(root: string): Promise<Map<string, string>> {
  const groups = await Promise.all(
    ["packages", "projects"].map(async (group) =>
      (await readdir(join(root, group)).catch(() => [])).map((folder) => `${group}/${folder}`),
    ),
  );
  const packages = new Map<string, string>();
  for (const folder of [...groups.flat(), "generators", "docs/errata"]) {
    const text = await readFile(join(root, folder, "package.json"), "utf8").catch(() => "{}");
    const name = /"name":\s*"([^"]+)"/.exec(text)?.[1];
    if (name !== undefined) packages.set(name, folder);
  }
  return packages;
}
