/** What a generator would do to a workspace, and the doing of it: whole or not at all. */
import { randomUUID } from "node:crypto";
import {
  access,
  chmod,
  constants,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileChanged, folderNotWritable, GeneratorError, pathTaken } from "./errors.ts";

/** A file that is new, or one that is there and gets another content. */
export interface Change {
  /** Relative to the workspace's root, with `/`. */
  readonly path: string;
  readonly content: string;
  /** What an existing file holds now; absent for a new one. */
  readonly before?: string;
}

export interface ApplyOptions {
  /** Ends it between two steps, and undoes those that were done. */
  readonly signal?: AbortSignal | undefined;
}

type Undo = () => Promise<unknown>;

/**
 * Writes everything aside, then moves it into place: new folders whole, new files, at last the files
 * that were there. Whatever fails on the way, also a full disk or Ctrl-C, is undone.
 * @throws GeneratorError `PATH_TAKEN`, `FILE_CHANGED`, `FOLDER_NOT_WRITABLE`
 */
export async function applyChanges(
  root: string,
  changes: readonly Change[],
  { signal }: ApplyOptions = {},
): Promise<void> {
  const draft = join(root, ".kata", "drafts", randomUUID());
  const undo: Undo[] = [];
  try {
    // Of a read-only disk, mkdir says that there is no such folder.
    await access(root, constants.W_OK);
    for (const { path, content } of changes) {
      signal?.throwIfAborted();
      await mkdir(dirname(join(draft, path)), { recursive: true });
      await writeFile(join(draft, path), content);
    }
    const [edits, news] = [changes.filter(isEdit), changes.filter((each) => !isEdit(each))];
    for (const path of new Set(await Promise.all(news.map((each) => topmostNew(root, each))))) {
      signal?.throwIfAborted();
      undo.push(await moveNew(root, draft, path));
    }
    for (const edit of edits) {
      signal?.throwIfAborted();
      undo.push(await replace(root, draft, edit));
    }
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {});
    throw error instanceof GeneratorError || signal?.aborted
      ? error
      : folderNotWritable(root, error);
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => {});
  }
}

function isEdit(change: Change): change is Change & { readonly before: string } {
  return change.before !== undefined;
}

/** The file, or the first folder on the way to it that isn't there: that is moved as a whole. */
async function topmostNew(root: string, { path }: Change): Promise<string> {
  const parts = path.split("/");
  for (let length = 1; length < parts.length; length++) {
    const folder = parts.slice(0, length).join("/");
    if (!(await stat(join(root, folder)).catch(() => undefined))) return folder;
  }
  return path;
}

/** @throws GeneratorError `PATH_TAKEN` when something is there, or came in between */
async function moveNew(root: string, draft: string, path: string): Promise<Undo> {
  const [from, to] = [join(draft, path), join(root, path)];
  try {
    if ((await stat(from)).isDirectory()) await rename(from, to);
    // Renaming a file would replace the other one.
    else await link(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTEMPTY" || code === "EEXIST") throw pathTaken(path);
    throw error;
  }
  return () => rm(to, { recursive: true });
}

/** @throws GeneratorError `FILE_CHANGED` when it no longer is what the change was made for */
async function replace(
  root: string,
  draft: string,
  { path, before }: Change & { readonly before: string },
): Promise<Undo> {
  const file = join(root, path);
  if ((await readFile(file, "utf8").catch(() => undefined)) !== before) throw fileChanged(path);
  const kept = join(draft, `${path}.before`);
  await chmod(join(draft, path), (await stat(file)).mode);
  await link(file, kept);
  await rename(join(draft, path), file);
  return () => rename(kept, file);
}
