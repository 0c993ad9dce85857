/** What servers that run on Java share. */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
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
  const ended = watcher.run(key, { ...launch, log }).finally(() => {
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
