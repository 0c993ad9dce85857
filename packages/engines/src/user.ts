import { existsSync, readFileSync, statSync } from "node:fs";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { EngineError } from "./errors.ts";

/** Empty when servers run as whoever we are. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
  readonly name?: string;
}

/** PostgreSQL refuses to run as root, so root's servers run as somebody without rights. */
export function serverUser(passwd = "/etc/passwd"): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const lines = existsSync(passwd) ? readFileSync(passwd, "utf8").split("\n") : [];
  for (const wanted of ["nobody", "postgres"]) {
    const [name, , uid, gid] =
      lines.find((line) => line.startsWith(`${wanted}:`))?.split(":") ?? [];
    if (name && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new EngineError("START_FAILED", {
    happened: "Running as root, and this machine has neither a user nobody nor a user postgres",
    likely: "a very small container image",
    remedy: "run as another user, or create one: useradd --system nobody",
  });
}

/** Writes a file that its server may read, whatever our umask is, and nobody else. */
export async function writeFor(
  { uid, gid }: ServerUser,
  file: string,
  text: string,
): Promise<void> {
  await writeFile(file, text, { mode: 0o600 });
  // It may have been there.
  await chmod(file, 0o600);
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid);
}

/** Makes a folder for its server alone, where there is none yet. */
export async function makeFolderFor({ uid, gid }: ServerUser, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
}

/** The first folder above (or at) a path that the other user can't pass through. */
export function untraversable(path: string, user: ServerUser): string | undefined {
  if (user.uid === undefined) return undefined;
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & 0o001) === 0) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
