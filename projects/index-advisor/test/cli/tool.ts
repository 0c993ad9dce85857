/** The tool, as somebody would type it. */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Statement } from "../../contract.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param onStderr told all that was said until now; `stop` is Ctrl-C */
export async function typed(
  args: readonly string[],
  onStderr: (text: string, stop: () => void) => void = () => {},
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
    onStderr(stderr, () => child.kill("SIGINT"));
  });
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, stdout, stderr };
}

/** Live: a folder that is gone when disposed. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  /** @returns its path */
  write(name: string, text: string): Promise<string>;
}

export async function openFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "advise-"));
  return {
    path,
    async write(name, text) {
      const file = join(path, name);
      await writeFile(file, text);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

/** For `--sql`. */
export function sqlOf(statements: readonly Statement[]): string {
  return statements.map(({ sql, calls }) => `-- calls: ${calls}\n${sql};\n`).join("\n");
}
