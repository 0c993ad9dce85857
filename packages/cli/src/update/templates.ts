/** What a workspace's template is now: what the newer packages would write. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { promisify } from "node:util";
import { createAttempt, TEMPLATE_RECORD } from "@db-katas/generators";
import type { Kata } from "@db-katas/grading";
import { CliError } from "../errors.ts";
import { fetchPackage, versionOf } from "../npm.ts";
import { exists, type Workspace } from "../workspace.ts";
import { parseRecord, type Recorded, readRecord } from "./tree.ts";

/** The command that makes workspaces: what it would write for one like this is the template. */
const CREATOR = "create-db-kata";

/** Whose templates exercises are made of. */
const GENERATORS = "@db-katas/generators";

export interface Templates {
  readonly version: string;
  /** Of the packages that are released with it. */
  readonly tools: string;
  /** Of the folder itself. */
  readonly root: Recorded;
  /** By the names of exercises: those that come with that version. */
  readonly attempts: ReadonlyMap<string, Recorded>;
}

/**
 * Fetches the creator of that version, and lets it show what it would write.
 * @param to a version, or a tag such as `latest`
 * @param attempts the names of exercises that have been started
 * @throws CliError `PACKAGE_NOT_FOUND`, `UPDATE_FAILED`
 */
export async function fetchTemplates(
  { root }: Workspace,
  to: string,
  attempts: readonly string[],
): Promise<Templates> {
  const version = await versionOf(`${CREATOR}@${to}`, root);
  const folder = join(root, ".kata", "templates", `${CREATOR}-${version}`);
  await fetchPackage(`${CREATOR}@${version}`, root, folder);
  const { version: tools, katas } = JSON.parse(
    await readFile(join(folder, "dist", "offer.json"), "utf8"),
  ) as {
    version: string;
    katas: { name: string; package: string }[];
  };
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
  const chosen = katas
    .filter(({ name, package: id }) => attempts.includes(name) || manifest.devDependencies?.[id])
    .map(({ name }) => name);
  const files = await rehearse(folder, root, manifest, chosen);
  const recordAt = (path: string) => {
    const text = files[join(path, TEMPLATE_RECORD).replaceAll("\\", "/")];
    if (text === undefined) throw noTemplate(version, `it records nothing of ${path || "itself"}`);
    return parseRecord(text, `the record of ${CREATOR}@${version}`);
  };
  const started = chosen.filter((name) => attempts.includes(name));
  return {
    version,
    tools,
    root: recordAt(""),
    attempts: new Map(started.map((name) => [name, recordAt(`attempts/${name}`)])),
  };
}

/**
 * The templates of new exercises, of a version of ours. They are files: what renders them is the version
 * that runs, which refuses those that it does not know enough for.
 * @throws CliError `PACKAGE_NOT_FOUND`
 */
export async function fetchExerciseTemplates(
  { root }: Workspace,
  version: string,
): Promise<string> {
  const folder = join(root, ".kata", "templates", `generators-${version}`);
  await fetchPackage(`${GENERATORS}@${version}`, root, folder);
  return join(folder, "templates");
}

interface Manifest {
  readonly packageManager?: string;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** What it would write into a folder of the same name, for the same package manager. */
async function rehearse(
  creator: string,
  root: string,
  { packageManager = "pnpm" }: Manifest,
  katas: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const [pm = "pnpm", pmVersion = "0"] = packageManager.split("@");
  const place = await mkdtemp(join(tmpdir(), "kata-update-"));
  // Without an exercise it wants a new one to be named; that isn't among the files.
  const what = katas.length > 0 ? ["--kata", ...katas] : ["--new", "own", "--engines", "sqlite"];
  const main = join(creator, "dist", "main.js");
  const args = [main, basename(root), ...what, "--pm", pm, "--dry-run", "--json", "--no-git"];
  // Package managers tell whom they run which version they are: here, the one that is in use.
  const env = { ...process.env, npm_config_user_agent: `${pm}/${pmVersion} npm/?` };
  try {
    const options = { cwd: place, env, maxBuffer: 1 << 28 };
    const { stdout } = await promisify(execFile)(process.execPath, args, options);
    return (JSON.parse(stdout) as { files: Record<string, string> }).files;
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw noTemplate(basename(creator), stderr?.trim() || String(error));
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/**
 * What an attempt would be, made of an exercise that is here: in `projects/`, or installed.
 * @param manifest the workspace's package.json, as it will be
 */
export async function localTemplate(
  { root }: Workspace,
  { name, folder }: Pick<Kata, "name" | "folder">,
  manifest: string,
): Promise<Recorded> {
  const stage = await mkdtemp(join(tmpdir(), "kata-update-"));
  try {
    await mkdir(join(stage, "attempts"));
    await writeFile(join(stage, "package.json"), manifest);
    const installed = join(stage, relative(root, folder));
    const made = await createAttempt({ name, exercise: folder, root: stage, installed });
    const recorded = await readRecord(made);
    if (recorded) return recorded;
    throw new Error(`createAttempt has recorded nothing of ${name}.`);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Whether the packages come with the workspace: then git brings newer ones, and no registry. */
export async function isClone({ root }: Workspace): Promise<boolean> {
  return exists(join(root, "packages", "cli", "package.json"));
}

function noTemplate(version: string, why: string): CliError {
  return new CliError(
    "UPDATE_FAILED",
    `${version} does not say what a workspace is made of: ${why}`,
    {
      likelyCause: "it is older than kata update, or too new for the kata command that is here",
      remedy: "kata update --to <another version>",
    },
  );
}
