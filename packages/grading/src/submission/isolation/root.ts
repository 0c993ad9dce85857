import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readlink,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import type { Submission } from "../submission.ts";

/** What an app node's file system shows, beside its copies: nothing that isn't listed. */
export interface Root {
  /** The folder on our side; the app node's `/`. */
  readonly folder: string;
  /** Folders and devices of this machine that it sees at their own paths, read-only. */
  readonly seen: readonly string[];
  /** Where it may write, and only it. */
  readonly scratch: string;
}

/** Where {@link APP_FILES} lie for an app node. */
export const APP_FOLDER = "/.kata";
const APP_FILES = join(import.meta.dirname, "..", "app");
const DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];
const SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/** Never part of a submission: large, or ours. */
const LEFT_OUT = new Set(["node_modules", ".git", ".kata", ".turbo"]);

/**
 * Copies what an app node may see to where it would be on this machine, so that imports and stack
 * traces are what they are without isolation.
 */
export async function makeRoot(
  folder: string,
  { submission, exercise }: { readonly submission: Submission; readonly exercise: string },
): Promise<Root> {
  const at = (path: string) => join(folder, path);
  const own = dirname(submission.entry);
  // The reference lies among the grading files of its exercise: of that folder only `src`.
  const copied = submission.folder === exercise ? own : submission.folder;
  const above = [...ancestors(own), ...ancestors(exercise)];
  const modules = await existing(
    [...new Set(above)].map((each) => join(each, "node_modules")),
    "directory",
  );
  const program = dirname(process.execPath);
  const seen = [...modules];
  if (![...SYSTEM, ...modules].some((each) => contains(each, program))) seen.push(program);

  await mkdir(folder, { recursive: true, mode: 0o755 });
  for (const path of SYSTEM) {
    const found = await lstat(path).catch(() => undefined);
    if (found?.isSymbolicLink()) await symlink(await readlink(path), at(path));
    else if (found?.isDirectory()) seen.push(path);
  }
  const scratch = [own, exercise, program].some((each) => contains("/tmp", each))
    ? "/scratch"
    : "/tmp";
  for (const path of [...seen, scratch, "/proc", "/dev", "/etc", `${APP_FOLDER}/old`]) {
    await mkdir(at(path), { recursive: true, mode: 0o755 });
  }
  for (const path of DEVICES) await writeFile(at(path), "");
  await symlink("/proc/self/fd", at("/dev/fd"));
  await writeFile(at("/etc/hosts"), "127.0.0.1 localhost\n");

  await copyTree(APP_FILES, at(APP_FOLDER));
  await copyTree(copied, at(copied));
  // `type` of the nearest package.json decides how Node reads a file.
  for (const path of above.map((each) => join(each, "package.json"))) await copyOne(path, at(path));
  for (const each of [submission.folder, exercise]) {
    await copyOne(join(each, "contract.ts"), at(join(each, "contract.ts")));
  }
  return { folder, seen: [...seen, ...(await existing(DEVICES, "device"))], scratch };
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...ancestors(parent)];
}

function contains(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith("..");
}

async function existing(paths: readonly string[], kind: "directory" | "device"): Promise<string[]> {
  // Not followed: a link's target is not the submission's to choose.
  const found = await Promise.all(paths.map((path) => lstat(path).catch(() => undefined)));
  return paths.filter((_, i) =>
    kind === "directory" ? found[i]?.isDirectory() : found[i]?.isCharacterDevice(),
  );
}

/** Links are copied as links: followed, they would show whatever we can read. */
async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    if (LEFT_OUT.has(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await copyOne(source, target);
  }
}

async function copyOne(from: string, to: string): Promise<void> {
  const found = await lstat(from).catch(() => undefined);
  if (!found?.isFile()) return;
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  await copyFile(from, to);
  await chmod(to, 0o644);
}
