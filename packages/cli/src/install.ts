import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CliError } from "./errors.ts";

/**
 * Runs the package manager over the workspace, as it was called for this process.
 * @throws CliError `INSTALL_FAILED`
 */
export async function installWorkspace(root: string): Promise<void> {
  // Set by pnpm for the scripts that it runs: the very pnpm that the person used.
  const pnpm = process.env.npm_execpath;
  const [command, ...before] = pnpm?.match(/\.[cm]?js$/)
    ? [process.execPath, pnpm]
    : [pnpm ?? "pnpm"];
  try {
    await promisify(execFile)(
      command as string,
      [...before, "install", "--prefer-offline", "--no-frozen-lockfile"],
      { cwd: root },
    );
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new CliError(
      "INSTALL_FAILED",
      `Installing packages failed:\n${`${stdout}${stderr}`.trim() || error}`,
      { remedy: "pnpm install" },
    );
  }
}
