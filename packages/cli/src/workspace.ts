import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import {
  composeMutant,
  findSubmission,
  type Kata,
  kataFile,
  loadKata,
  loadMutants,
  loadRubric,
  type Submission,
} from "@db-katas/grading";
import { CliError } from "./errors.ts";

/** Where exercises and attempts are: a clone of db-katas, or what `pnpm create db-kata` made. */
export interface Workspace {
  readonly root: string;
}

/**
 * Looks upwards from a folder for a workspace that has `projects/` or asks for the `kata` command.
 * @throws CliError `NOT_IN_WORKSPACE`
 */
export async function findWorkspace(from: string): Promise<Workspace> {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (await isWorkspace(folder)) return { root: folder };
    if (folder === dirname(folder)) break;
  }
  throw new CliError("NOT_IN_WORKSPACE", `${from} is not inside a db-katas workspace.`, {
    likelyCause:
      "kata looks upwards for a workspace that has projects/, or @db-katas/cli in its package.json",
    remedy: "cd into your clone of db-katas, or into the folder that `pnpm create db-kata` made",
  });
}

/** An exercise or attempt asks for the command as well, but is no workspace itself. */
async function isWorkspace(folder: string): Promise<boolean> {
  const [manifest, settings, projects] = await Promise.all([
    readManifest(folder),
    exists(join(folder, "pnpm-workspace.yaml")),
    exists(join(folder, "projects")),
  ]);
  const isRoot = settings || manifest?.workspaces !== undefined;
  return isRoot && (projects || manifest?.devDependencies?.["@db-katas/cli"] !== undefined);
}

/**
 * In the order of their names; of two with the same name, the one in `projects/`.
 * @throws GradingError `KATA_INVALID`
 */
export async function listKatas(workspace: Workspace): Promise<Kata[]> {
  const folders = await kataFolders(workspace);
  return Promise.all([...folders.values()].map((folder) => loadKata(folder)));
}

/** An exercise that can't be loaded, for commands that go on with the others. */
export interface BrokenKata {
  readonly name: string;
  /** The first line of what is wrong. */
  readonly why: string;
}

/** In the order of their names: those that `load` can load, and the others. */
export async function surveyKatas<T>(
  workspace: Workspace,
  load: (kata: Kata) => Promise<T>,
): Promise<{ readonly katas: T[]; readonly broken: BrokenKata[] }> {
  const folders = [...(await kataFolders(workspace))];
  const loaded = await Promise.allSettled(
    folders.map(async ([, folder]) => load(await loadKata(folder))),
  );
  return {
    katas: loaded.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])),
    broken: loaded.flatMap((each, i) => {
      const name = folders[i]?.[0] ?? "";
      if (each.status === "fulfilled") return [];
      const [why = ""] = String((each.reason as Error)?.message ?? each.reason).split("\n");
      return [{ name, why }];
    }),
  };
}

/** For stderr; empty where none is broken. */
export function describeBroken(broken: readonly BrokenKata[]): string {
  return broken
    .map(({ name, why }) => `${name} is left out: ${why}\n  pnpm kata verify ${name}\n`)
    .join("");
}

/** Exercises by their names, in that order. None is loaded: a broken one is among them. */
export async function kataFolders(workspace: Workspace): Promise<Map<string, string>> {
  const found = [...(await published(workspace)), ...(await ownProjects(workspace))];
  const folders = new Map(found.map((folder) => [basename(folder), folder]));
  return new Map([...folders].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** @throws CliError `KATA_UNKNOWN`, GradingError `KATA_INVALID` */
export async function findKata(workspace: Workspace, name: string): Promise<Kata> {
  const folders = await kataFolders(workspace);
  const folder = folders.get(name);
  if (folder !== undefined) return loadKata(folder);
  throw new CliError("KATA_UNKNOWN", `There is no kata called "${name}".`, {
    likelyCause: `the ones here are ${[...folders.keys()].join(", ") || "none"}`,
    remedy: "pnpm kata list",
  });
}

async function ownProjects({ root }: Workspace): Promise<string[]> {
  const projects = join(root, "projects");
  const names = await readdir(projects).catch(() => []);
  return withKata(names.map((name) => join(projects, name)));
}

/** Exercises that the workspace has installed: the packages that say so in their keywords. */
async function published({ root }: Workspace): Promise<string[]> {
  const { dependencies, devDependencies } = (await readManifest(root)) ?? {};
  const names = Object.keys({ ...dependencies, ...devDependencies });
  const folders = names.map((name) => join(root, "node_modules", name));
  const manifests = await Promise.all(folders.map(readManifest));
  return withKata(folders.filter((_, i) => manifests[i]?.keywords?.includes("db-kata")));
}

async function withKata(folders: readonly string[]): Promise<string[]> {
  const files = await Promise.all(folders.map(kataFile));
  return folders.filter((_, i) => files[i] !== undefined);
}

interface Manifest {
  readonly keywords?: readonly string[];
  readonly workspaces?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  } catch {
    return undefined;
  }
}

/** What `kata grade` shall grade: at most one of these is set besides `target`. */
export interface TargetOptions {
  readonly kata?: string;
  readonly reference?: boolean;
  readonly starter?: boolean;
  readonly mutant?: string;
  readonly variant?: string;
}

export interface Target {
  readonly kata: Kata;
  readonly submission: Submission;
  /** What people type after `kata grade` to get the same again. */
  readonly typed: string;
}

/**
 * A kata's name stands for one's attempt at it; a folder stands for itself.
 * @throws CliError `KATA_UNKNOWN`, `ATTEMPT_MISSING`, `TARGET_UNCLEAR`
 */
export async function resolveTarget(
  workspace: Workspace,
  target: string | undefined,
  options: TargetOptions,
  cwd: string,
): Promise<Target> {
  const looksLikeFolder = target !== undefined && /[/\\.]/.test(target);
  const folder = looksLikeFolder ? resolve(cwd, target) : target === undefined ? cwd : undefined;
  const name =
    options.kata ?? (folder ? await kataOfFolder(workspace, folder) : (target as string));
  const kata = await findKata(workspace, name);
  const picked = await pickShipped(kata, options);
  if (picked) return { kata, ...picked };
  if (folder) {
    const shorten = (from: string) => {
      const path = relative(from, folder) || ".";
      return path.startsWith("..") ? folder : path;
    };
    const label = folder === workspace.root ? basename(folder) : shorten(workspace.root);
    const typed = `${shorten(cwd)}${options.kata ? ` --kata ${kata.name}` : ""}`;
    return { kata, submission: await findSubmission(folder, label), typed };
  }
  const attempt = join(workspace.root, "attempts", kata.name);
  if (!(await exists(attempt))) {
    throw new CliError("ATTEMPT_MISSING", `You have no attempt at ${kata.name} yet.`, {
      remedy: `pnpm kata start ${kata.name}   (or, to see the reference graded: pnpm kata grade ${kata.name} --reference)`,
    });
  }
  return {
    kata,
    submission: await findSubmission(attempt, `attempts/${kata.name}`),
    typed: kata.name,
  };
}

async function pickShipped(
  kata: Kata,
  options: TargetOptions,
): Promise<Omit<Target, "kata"> | undefined> {
  if (options.reference) {
    const submission = await findSubmission(join(kata.folder, "src"), "reference");
    return { submission, typed: `${kata.name} --reference` };
  }
  if (options.starter) {
    const submission = await findSubmission(join(kata.folder, "starter"), "starter");
    return { submission, typed: `${kata.name} --starter` };
  }
  if (options.variant !== undefined) {
    const folder = join(kata.folder, "variants", options.variant);
    const submission = await findSubmission(folder, `variant ${options.variant}`);
    return { submission, typed: `${kata.name} --variant ${options.variant}` };
  }
  if (options.mutant !== undefined) {
    const mutants = await loadMutants(kata, await loadRubric(kata));
    const mutant = mutants.find((candidate) => candidate.name === options.mutant);
    if (!mutant) {
      throw new CliError("TARGET_UNCLEAR", `${kata.name} has no mutant "${options.mutant}".`, {
        likelyCause: `its mutants are ${mutants.map((known) => known.name).join(", ")}`,
      });
    }
    return {
      submission: await composeMutant(kata, mutant),
      typed: `${kata.name} --mutant ${mutant.name}`,
    };
  }
  return undefined;
}

/** A folder belongs to the kata that its package.json names, or to the project that it is in. */
async function kataOfFolder(workspace: Workspace, folder: string): Promise<string> {
  if (!(await exists(folder))) {
    throw new CliError("TARGET_UNCLEAR", `There is no folder ${folder}.`, {
      remedy: "pnpm kata grade <kata or folder>",
    });
  }
  const real = await realpath(folder);
  for (let place = real; place !== dirname(place); place = dirname(place)) {
    const text = await readFile(join(place, "package.json"), "utf8").catch(() => undefined);
    if (text === undefined) continue;
    try {
      const manifest = JSON.parse(text) as { kata?: unknown };
      if (typeof manifest.kata === "string") return manifest.kata;
    } catch {
      break;
    }
  }
  const inside = relative(join(await realpath(workspace.root), "projects"), real);
  const first = inside.split(sep)[0];
  if (first && first !== "..") return first;
  throw new CliError("TARGET_UNCLEAR", `Which kata is ${folder} an answer to?`, {
    likelyCause: 'no package.json at or above it says "kata": "<name>"',
    remedy: `pnpm kata grade ${folder} --kata <name>`,
  });
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
