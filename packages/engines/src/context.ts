import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerUser } from "./user.ts";
import type { Watcher } from "./watcher/client.ts";
import type { Launch } from "./watcher/protocol.ts";

/** What the parts of a run share. */
export interface RunContext {
  readonly id: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly watcher: Watcher;
  /** Aborted when the run is disposed: nobody waits for what is under way any more. */
  readonly ended: AbortSignal;
  /** Whom servers run as, when it isn't ourselves. */
  readonly user: ServerUser;
  /** Where fetched and prepared things are kept between runs. */
  readonly cache: string;
  /** Passwords of this run derive from it, so that they needn't be kept anywhere. */
  readonly secret: string;
  /** For anything that takes more than a second. */
  progress(message: string): void;
}

export function password(context: Pick<RunContext, "secret">, purpose: string): string {
  return createHmac("sha256", context.secret).update(purpose).digest("hex").slice(0, 32);
}

let serial = 0;

/** A name that is unique within this process. */
export function unique(prefix: string): string {
  serial += 1;
  return `${prefix}-${serial}`;
}

/**
 * A database's name that is unique within its run, on whichever server: what is called after it on
 * another one, such as a replication slot, is nobody else's either. None is the beginning of another,
 * since the stand-in for MongoDB would drop that one along.
 */
export function databaseName(context: Pick<RunContext, "id">): string {
  serial += 1;
  return `kata_${context.id}_${String(serial).padStart(6, "0")}`;
}

/** Runs a program to its end, under the watcher. */
export async function runTool(
  context: RunContext,
  launch: Omit<Launch, "log">,
): Promise<{ readonly ok: boolean; readonly output: string }> {
  const key = unique("tool");
  const log = join(context.folder, `${key}.log`);
  const { code } = await context.watcher.run(key, { ...launch, log });
  return { ok: code === 0, output: tail(log, 200) };
}

/** The last lines of a text file; empty when there is none. */
export function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
  } catch {
    return "";
  }
}
