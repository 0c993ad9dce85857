import { chmod, lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import envPaths from "env-paths";
import type { RunContext } from "./context.ts";
import { EngineError } from "./errors.ts";
import { type ServerUser, untraversable } from "./user.ts";

/**
 * Where fetched and prepared things are kept between runs. `KATA_CACHE` overrides. Root's cache is
 * outside of its home: servers run as another user, who can't look into a home that is 0700.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KATA_CACHE) return env.KATA_CACHE;
  if (process.getuid?.() === 0) return "/var/cache/db-katas";
  return envPaths("db-katas", { suffix: "" }).cache;
}

/** Removes everything that can be fetched or made again. Runs under way keep working on their own copies. */
export async function clearCache(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  await rm(cacheFolder(env), { recursive: true, force: true });
}

/** @throws EngineError `CACHE_UNREACHABLE` */
export function assertReachable(folder: string, user: ServerUser): void {
  const barrier = untraversable(folder, user);
  if (!barrier) return;
  throw new EngineError("CACHE_UNREACHABLE", {
    happened: `The cache at ${folder} can't be read by the user ${user.name}, as whom root's servers run`,
    likely: `${barrier} lets nobody else pass`,
    remedy:
      "unset KATA_CACHE, or point it at a folder that everybody can pass through, such as /var/cache/db-katas",
  });
}

/**
 * A prepared folder of the cache, made once. It appears complete or not at all; of several makers at
 * the same moment one wins and the others take what it made.
 */
export async function materialise(
  context: RunContext,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const target = join(context.cache, name);
  if (await exists(target)) return target;
  assertReachable(context.cache, context.user);
  await makePassable(context.cache);
  const draft = join(context.cache, `.${basename(name)}.${context.id}`);
  await context.watcher.ask({ op: "own", folder: draft });
  try {
    await mkdir(draft);
    await chmod(draft, 0o755);
    await build(draft);
    await rename(draft, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } catch (error) {
    // Another maker who has won meanwhile may have been in this one's way.
    if (!(await exists(target))) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
    await context.watcher.ask({ op: "release", folder: draft }).catch(() => {});
  }
  return target;
}

/** Makes a folder, and those above it that aren't there; everybody may pass them, whatever the umask is. */
async function makePassable(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  if (first === undefined) return;
  for (let each = folder; each !== first; ) {
    each = dirname(each);
    await chmod(each, 0o755);
  }
}

/** Lets everybody read a tree, whatever the umask was when it was made. */
export async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openUp(path);
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o777) | 0o444);
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
