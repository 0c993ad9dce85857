/** What servers that run on Java share. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { chmod, chown, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type RunContext, tail, unique } from "./context.ts";
import { startFailed } from "./errors.ts";
import type { Launch } from "./watcher/protocol.ts";

/** For servers that live for minutes: they start sooner, and take less. */
export const javaFlags: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  // It would leave a file in the machine's temporary folder.
  "-XX:-UsePerfData",
];

/** Tells Javas apart, for what was prepared with one of them. */
export function digestOf(java: string, ...more: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([realpathSync(java), ...more]))
    .digest("hex")
    .slice(0, 8);
}

/**
 * Keeps which classes a server loads while it is tried out: later starts on that archive take about
 * half of the work (JEP 350).
 * @param draft an empty folder, in which the archive will be
 * @param home a folder of the server's user, for that one start
 * @param launch how to start it there, with one more flag of Java's
 * @param tryOut rejects while it doesn't answer
 */
export async function archiveClasses(
  context: RunContext,
  engine: string,
  draft: string,
  home: string,
  launch: (flag: string) => Promise<Omit<Launch, "log">>,
  tryOut: () => Promise<unknown>,
): Promise<void> {
  const archive = join(home, "classes.jsa");
  await rehearse(context, engine, await launch(`-XX:ArchiveClassesAtExit=${archive}`), tryOut);
  await rename(archive, join(draft, "classes.jsa"));
  await chmod(join(draft, "classes.jsa"), 0o644);
}

/** The flag for starts on what {@link archiveClasses} has left in a folder. */
export function onArchive(folder: string): string {
  return `-XX:SharedArchiveFile=${join(folder, "classes.jsa")}`;
}

/** A folder that is a server's alone. */
export async function serverFolder({ user }: RunContext, path: string): Promise<void> {
  await mkdir(path, { mode: 0o700 });
  if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid);
}

/**
 * Starts a server, waits until it answers, and has it end in good order, for what that leaves behind.
 * @param answers rejects while it doesn't
 * @throws EngineError `START_FAILED`
 */
export async function rehearse(
  context: RunContext,
  engine: string,
  launch: Omit<Launch, "log">,
  answers: () => Promise<unknown>,
): Promise<void> {
  const { watcher, folder } = context;
  const key = unique(`${engine}-rehearsal`);
  const log = join(folder, `${key}.log`);
  let over = false;
  const { uid, gid } = context.user;
  const user = uid === undefined || gid === undefined ? {} : { uid, gid };
  const ended = watcher.run(key, { ...user, ...launch, log }).finally(() => {
    over = true;
  });
  ended.catch(() => {});
  for (;;) {
    const up = await answers().then(
      () => true,
      () => false,
    );
    if (over) throw startFailed(engine, launch.file, "it ended at its first start", tail(log, 40));
    if (up) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await watcher.ask({ op: "signal", key, signal: "SIGTERM" });
  await ended;
}
