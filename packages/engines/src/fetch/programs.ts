import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type ServerUser, untraversable } from "../user.ts";

export function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  return allOnPath(program, env)[0];
}

/** All of that name that can be run, in the order of `PATH`. */
export function allOnPath(program: string, env: NodeJS.ProcessEnv): string[] {
  return (env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder || ".", program))
    .filter(runnable);
}

export function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether root's servers, who run as somebody else, could run it too. */
export function runnableBy(file: string, user: ServerUser): boolean {
  return [file, realpathSync(file)].every((path) => untraversable(path, user) === undefined);
}

/** The LD_LIBRARY_PATH that a distribution's package needs once it is unpacked elsewhere than at `/`. */
export function librariesOf(folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  // Debian keeps libraries by architecture: usr/lib/x86_64-linux-gnu.
  const triplet = `${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;
  const found = ["usr/lib", "lib"]
    .map((path) => join(folder, path, triplet))
    .filter((path) => existsSync(path));
  return found.length > 0 ? found.join(delimiter) : undefined;
}
