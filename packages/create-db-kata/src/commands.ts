import { execFile, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { commandFailed, interrupted } from "./errors.ts";
import type { PackageManager } from "./workspace.ts";

export interface Commands {
  /**
   * Runs a command; what it says goes to our stderr. Ctrl-C ends it, and then us.
   * @throws CreateError `COMMAND_FAILED`, `INTERRUPTED`
   */
  run(command: string, ...args: string[]): Promise<void>;
}

/** Commands in a folder. */
export function commandsIn(folder: string): Commands {
  return {
    async run(command, ...args) {
      const child = spawn(command, args, { cwd: folder, stdio: ["ignore", 2, 2] });
      let isInterrupted = false;
      // From a terminal it has got the same signal already.
      const interrupt = () => {
        isInterrupted = true;
        child.kill("SIGINT");
      };
      process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
      const code = await new Promise<number | null>((resolve) => {
        child.once("error", () => resolve(null));
        child.once("close", resolve);
      });
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      const line = [command, ...args].join(" ");
      if (isInterrupted) throw interrupted(line, folder);
      if (code !== 0) throw commandFailed(line, folder);
    },
  };
}

/** Whether a folder, which need not be there yet, is part of a repository. */
export async function isInRepository(folder: string): Promise<boolean> {
  for (let place = folder; ; place = dirname(place)) {
    if (await stat(join(place, ".git")).catch(() => undefined)) return true;
    if (place === dirname(place)) return false;
  }
}

/** Who runs us, as package managers tell: `pnpm/12.21.0 npm/? node/v24.21.0 linux x64`. */
export function callingPackageManager(
  agent: string = process.env.npm_config_user_agent ?? "",
): { name: string; version: string } | undefined {
  const [, name, version] = /^(\w+)\/(\d[^ ]*)/.exec(agent) ?? [];
  return name && version ? { name, version } : undefined;
}

/** @param otherwise where it neither runs us nor answers */
export async function versionOf(pm: PackageManager, otherwise: string): Promise<string> {
  const calling = callingPackageManager();
  if (calling?.name === pm) return calling.version;
  return promisify(execFile)(pm, ["--version"]).then(
    ({ stdout }) => stdout.trim() || otherwise,
    () => otherwise,
  );
}
