/** The `kata` command in a process of its own, as people run it. */
import { execFile } from "node:child_process";
import { join } from "node:path";

export const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

/** Ours, without what changes texts (colours, annotations) and what only turbo's tasks have. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  NO_COLOR: "1",
  TURBO_HASH: "",
  GITHUB_ACTIONS: "",
};

export interface Ran {
  /** NaN where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly cwd: string;
  /** All that it gets. Default {@link ENVIRONMENT}. */
  readonly env?: NodeJS.ProcessEnv;
  /** Of a text, what is the same in every run. */
  readonly masked?: (text: string) => string;
}

/** Runs it to its end, however it ends. */
export function runKata(
  args: readonly string[],
  { cwd, env = ENVIRONMENT, masked = (text) => text }: RunOptions,
): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { cwd, env, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? Number.NaN) : 0;
      resolve({ code, stdout: masked(stdout), stderr: masked(stderr) });
    });
  });
}
