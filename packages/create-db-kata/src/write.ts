import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  CreateError,
  folderNotEmpty,
  folderNotWritable,
  wouldOverwrite,
  writingInterrupted,
} from "./errors.ts";

/** A file manager's, and what an empty repository has. */
const NO_MATTER = new Set([".DS_Store", ".git", "Thumbs.db"]);

/**
 * Refuses a folder that has something in it.
 * @param force only what would be overwritten is refused
 * @throws CreateError `FOLDER_NOT_EMPTY`
 */
export async function checkFolder(
  folder: string,
  files: readonly string[],
  force: boolean,
): Promise<void> {
  const present = (await readdir(folder).catch(() => [])).filter((name) => !NO_MATTER.has(name));
  if (present.length > 0 && !force) throw folderNotEmpty(folder, present);
  const first = new Set(files.map((file) => file.split("/")[0] as string));
  const taken = present.filter((name) => first.has(name));
  if (taken.length > 0) throw wouldOverwrite(folder, taken);
}

/**
 * Writes a folder whole or not at all: aside first, then moved, an entry at a time, because the folder
 * itself may be there already, and be the one that somebody is in.
 * @param more writes into the draft what isn't text at hand
 * @throws CreateError `FOLDER_NOT_WRITABLE`, `INTERRUPTED`
 */
export async function writeWhole(
  folder: string,
  files: Readonly<Record<string, string>>,
  more: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = join(folder, `.create-db-kata-${process.pid}`);
  const moved: string[] = [];
  let made: string | undefined;
  const undo = async () => {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
    for (const path of moved) await rm(path, { recursive: true, force: true }).catch(() => {});
    if (made) await rm(made, { recursive: true, force: true }).catch(() => {});
  };
  using interruption = interruptible();
  try {
    // Of a read-only disk, mkdir says that there is no such folder.
    await access(await nearestPresent(folder), constants.W_OK);
    // The first folder that was not there before: with it goes all that came with it.
    made = await mkdir(folder, { recursive: true });
    await mkdir(draft);
    for (const [path, text] of Object.entries(files)) {
      interruption.throwIfAny();
      await writeFile(join(draft, path), text);
    }
    await more(draft);
    for (const name of await readdir(draft)) {
      interruption.throwIfAny();
      await rename(join(draft, name), join(folder, name));
      moved.push(join(folder, name));
    }
    await rm(draft, { recursive: true });
  } catch (error) {
    await undo();
    throw error instanceof CreateError ? error : folderNotWritable(folder, error);
  }
}

/** The folder, or what there is of the way to it. */
async function nearestPresent(folder: string): Promise<string> {
  const isThere = await stat(folder).catch(() => undefined);
  return isThere || folder === dirname(folder) ? folder : nearestPresent(dirname(folder));
}

/** Ctrl-C is noted, for who can stop at a good moment. */
function interruptible(): Disposable & { throwIfAny(): void } {
  let isInterrupted = false;
  const note = () => {
    isInterrupted = true;
  };
  process.on("SIGINT", note).on("SIGTERM", note);
  return {
    throwIfAny() {
      if (isInterrupted) throw writingInterrupted();
    },
    [Symbol.dispose]: () => void process.off("SIGINT", note).off("SIGTERM", note),
  };
}

/** Writes to a folder that nobody keeps. @returns what is in each file, by its path */
export async function rehearse(
  files: Readonly<Record<string, string>>,
  more: (draft: string) => Promise<void>,
): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "create-db-kata-"));
  try {
    await writeWhole(folder, files, more);
    return await filesBelow(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The text of every file below a folder, by its path in it. */
export async function filesBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8")));
  return Object.fromEntries(
    paths.map((path, i) => [path.slice(folder.length + 1), texts[i] ?? ""]),
  );
}
