import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installFailed } from "./errors.ts";
import { packageManagerOf } from "./package-manager.ts";

/**
 * Installs what the packages of a workspace need, with what is already here where that will do.
 * @throws GeneratorError `INSTALL_FAILED`
 */
export async function installPackages(root: string, signal?: AbortSignal): Promise<void> {
  const [command, ...args] = await installCommand(root);
  try {
    await promisify(execFile)(command, args, { cwd: root, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw installFailed(root, `${stdout}${stderr}`.trim() || String(error), error);
  }
}

async function installCommand(root: string): Promise<[string, ...string[]]> {
  const install = ["install", "--prefer-offline"];
  if (packageManagerOf(root) !== "pnpm") return ["npm", ...install];
  return [...(await findPnpm(root)), ...install, "--no-frozen-lockfile"];
}

/** The very pnpm that runs this process, else the one on PATH, else the one that the workspace pins. */
async function findPnpm(root: string): Promise<[string, ...string[]]> {
  const running = process.env.npm_execpath;
  if (running?.includes("pnpm")) {
    return /\.[cm]?js$/.test(running) ? [process.execPath, running] : [running];
  }
  const installed = await promisify(execFile)("pnpm", ["--version"], { cwd: root }).then(
    () => true,
    () => false,
  );
  if (installed) return ["pnpm"];
  const { packageManager = "pnpm" } = JSON.parse(
    await readFile(join(root, "package.json"), "utf8"),
  ) as { packageManager?: string };
  return ["npx", "--yes", packageManager];
}
