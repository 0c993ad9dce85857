/** Changes of many files, whole or not at all, whatever ends the process. */
import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { CliError } from "../errors.ts";
import { exists } from "../workspace.ts";
import type { Content } from "./tree.ts";

/** Relative to the workspace's root: what each file becomes. Undefined: it goes. */
export type Changes = ReadonlyMap<string, Content | undefined>;

const planSchema = z.object({
  pid: z.int(),
  files: z.array(
    z.object({
      path: z.string(),
      existed: z.boolean(),
      /** The SHA-256 of what it becomes; null: it goes; undefined: others write it, an install. */
      after: z.string().nullish(),
    }),
  ),
});

type Plan = z.infer<typeof planSchema>;

const FOLDER = join(".kata", "update");
const BACKUPS = join(".kata", "backups");

/**
 * Makes the changes, and does what is to be done with them in place. If that fails, or Ctrl-C ends it,
 * everything is as it was.
 * @param others files that `finish` may change
 * @returns the folder, relative to the root, with what was there before
 * @throws CliError `UPDATE_FAILED`, and what `finish` throws
 */
export async function changeWhole(
  root: string,
  changes: Changes,
  others: readonly string[],
  finish: () => Promise<void>,
): Promise<string> {
  const plan = await prepare(root, changes, others).catch(async (error) => {
    await rm(join(root, FOLDER), { recursive: true, force: true });
    throw notWritten(root, error);
  });
  let undone: Promise<unknown> | undefined;
  const undo = () => {
    undone ??= restore(root, plan);
    return undone;
  };
  const interrupted = () => undo().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    for (const [path, content] of changes) await put(join(root, path), content);
  } catch (error) {
    await undo();
    throw notWritten(root, error);
  }
  try {
    await finish();
  } catch (error) {
    await undo();
    throw error;
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  }
  return keep(root);
}

/**
 * Undoes what was ended half-way.
 * @returns what to tell about it; undefined: there was nothing
 * @throws CliError `UPDATE_REFUSED` when another process is at it
 */
export async function recover(root: string): Promise<string | undefined> {
  if (!(await exists(join(root, FOLDER)))) return undefined;
  const text = await readFile(join(root, FOLDER, "plan.json"), "utf8").catch(() => undefined);
  if (text === undefined) {
    // Nothing is touched before there is a plan.
    await rm(join(root, FOLDER), { recursive: true, force: true });
    return undefined;
  }
  const plan = planSchema.parse(JSON.parse(text));
  if (plan.pid !== process.pid && isAlive(plan.pid)) {
    throw new CliError("UPDATE_REFUSED", "Another kata update is under way here.", {
      remedy: `wait for it, or end it: process ${plan.pid}`,
    });
  }
  const left = await restore(root, plan);
  return left.length === 0
    ? "An update was ended half-way: everything is as it was before it."
    : `An update was ended half-way. All is as it was before it, but for what has changed since: ${left.join(", ")}.`;
}

/** Copies of what is there first, then the plan: only with both can it be undone. */
async function prepare(root: string, changes: Changes, others: readonly string[]): Promise<Plan> {
  const files: Plan["files"] = [];
  await mkdir(join(root, ".kata"), { recursive: true });
  await mkdir(join(root, FOLDER));
  for (const path of [...changes.keys(), ...others]) {
    const before = await read(join(root, path));
    if (before) await put(join(root, FOLDER, "before", path), before);
    const after = changes.get(path);
    const hash = changes.has(path) ? (after ? hashOf(after.bytes) : null) : undefined;
    files.push({ path, existed: before !== undefined, after: hash });
  }
  const plan = { pid: process.pid, files };
  const bytes = Buffer.from(JSON.stringify(plan, null, 2));
  await put(join(root, FOLDER, "plan.json"), { bytes, executable: false });
  return plan;
}

/** @returns what was left as it is, because somebody has changed it since; a copy stays in the backups */
async function restore(root: string, plan: Plan): Promise<string[]> {
  const left: string[] = [];
  for (const { path, existed, after } of plan.files) {
    const now = await read(join(root, path));
    const before = existed ? await read(join(root, FOLDER, "before", path)) : undefined;
    const hash = now ? hashOf(now.bytes) : null;
    const isAsBefore = hash === (before ? hashOf(before.bytes) : null);
    if (isAsBefore && now?.executable === before?.executable) continue;
    if (after === undefined || hash === after || isAsBefore) await put(join(root, path), before);
    else left.push(path);
  }
  if (left.length > 0) await keep(root);
  else await rm(join(root, FOLDER), { recursive: true, force: true });
  return left;
}

/** What is there is the new or the old one at any moment. */
async function put(file: string, content: Content | undefined): Promise<void> {
  if (!content) {
    await rm(file, { force: true });
    // Not a folder that somebody else still needs: that is not empty.
    await rmdir(dirname(file)).catch(() => {});
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(draft, content.bytes);
    await chmod(draft, content.executable ? 0o755 : 0o644);
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function read(file: string): Promise<Content | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  return { bytes: await readFile(file), executable: (found.mode & 0o111) !== 0 };
}

async function keep(root: string): Promise<string> {
  const backup = join(BACKUPS, `update-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`);
  await mkdir(join(root, BACKUPS), { recursive: true });
  await rename(join(root, FOLDER), join(root, backup));
  return backup;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function notWritten(root: string, cause: unknown): CliError {
  const [why] = (cause as Error).message.split(",");
  return new CliError("UPDATE_FAILED", `The update could not be written: ${why}.`, {
    likelyCause: "the disk is full, or a file or folder is not yours; everything is as it was",
    remedy: `ls -ld ${root}; df -h ${root}`,
  });
}
