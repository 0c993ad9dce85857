/** Inside a workspace there is none to be made: its own `kata` command adds what was chosen. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createAttempt } from "@db-katas/generators/create-attempt";
import { attemptExists, nameTaken } from "@db-katas/generators/errors";
import { commandsIn } from "./commands.ts";
import { exerciseFolder, type Offer } from "./offer.ts";
import type { Answers } from "./questions.ts";
import { kataCommand, newArguments, type PackageManager } from "./workspace.ts";
import { filesBelow } from "./write.ts";

/** A clone of db-katas, or what this command made some time ago. */
export interface Enclosing {
  readonly root: string;
  readonly pm: PackageManager;
  /** Exercises in its `projects/`. */
  readonly own: readonly string[];
  /** Packages that it asks for. */
  readonly packages: readonly string[];
}

/** The workspace that a folder, which need not be there yet, is in. */
export async function findEnclosing(folder: string): Promise<Enclosing | undefined> {
  for (let root = folder; ; root = dirname(root)) {
    const found = await workspaceAt(root);
    if (found) return found;
    if (root === dirname(root)) return undefined;
  }
}

async function workspaceAt(root: string): Promise<Enclosing | undefined> {
  const text = await readFile(join(root, "package.json"), "utf8").catch(() => "{}");
  const { workspaces, devDependencies = {} } = parsed(text);
  const isPnpms = await exists(join(root, "pnpm-workspace.yaml"));
  if (!("@db-katas/cli" in devDependencies) || !(isPnpms || workspaces)) return undefined;
  const projects = await readdir(join(root, "projects")).catch(() => []);
  const files = projects.map((name) => exists(join(root, "projects", name, "kata.ts")));
  const isExercise = await Promise.all(files);
  return {
    root,
    pm: isPnpms ? "pnpm" : "npm",
    own: projects.filter((_, i) => isExercise[i]),
    packages: Object.keys(devDependencies),
  };
}

/** @throws GeneratorError `ATTEMPT_EXISTS`, `NAME_TAKEN` before anything is done */
export async function checkFree({ root }: Enclosing, { katas, own }: Answers): Promise<void> {
  for (const name of katas) {
    const attempt = join(root, "attempts", name);
    if (await exists(attempt)) throw attemptExists(name, attempt);
  }
  if (own && (await exists(join(root, "projects", own.name)))) {
    throw nameTaken(own.name, `the folder projects/${own.name}`);
  }
}

/** What has to be typed in the workspace, in this order. */
export function commandsFor(
  { pm, own, packages }: Enclosing,
  answers: Answers,
  offer: Offer,
  install: boolean,
): string[][] {
  const kata = kataCommand(pm).split(" ");
  const missing = offer.katas
    .filter(({ name }) => answers.katas.includes(name) && !own.includes(name))
    .filter((each) => !packages.includes(each.package))
    .map((each) => `${each.package}@^${each.version}`);
  const add = pm === "pnpm" ? ["pnpm", "add", "--workspace-root"] : ["npm", "install"];
  const later = install ? [] : ["--no-install"];
  return [
    ...(missing.length > 0 ? [[...add, "--save-dev", ...missing]] : []),
    ...answers.katas.map((name) => [...kata, "start", name, ...later]),
    ...(answers.own ? [[...kata, ...newArguments(answers.own), ...later]] : []),
  ];
}

/** @throws CreateError `COMMAND_FAILED` */
export async function addTo(enclosing: Enclosing, commands: readonly string[][]): Promise<void> {
  const { run } = commandsIn(enclosing.root);
  for (const [program = "", ...args] of commands) await run(program, ...args);
}

/** What would be added, by path. */
export async function wouldAdd(
  { root, pm, own }: Enclosing,
  answers: Answers,
): Promise<Record<string, string>> {
  const draft = await mkdtemp(join(tmpdir(), "create-db-kata-"));
  try {
    for (const name of answers.katas) {
      const exercise = own.includes(name) ? join(root, "projects", name) : exerciseFolder(name);
      await createAttempt({ name, exercise, root: draft });
    }
    const files = await filesBelow(draft);
    if (!answers.own) return files;
    const [program = "", ...before] = kataCommand(pm).split(" ");
    const args = [...before, ...newArguments(answers.own), "--dry-run", "--json"];
    const { stdout } = await promisify(execFile)(program, args, { cwd: root, maxBuffer: 1 << 24 });
    const { contents } = JSON.parse(stdout) as { contents: Record<string, string> };
    return { ...files, ...contents };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

function parsed(text: string): { workspaces?: unknown; devDependencies?: object } {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
