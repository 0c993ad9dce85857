import { execFile } from "node:child_process";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { type Kata, messageOf } from "../kata.ts";
import type { Submission } from "../submission/submission.ts";

const PARTS = ["contract.ts", "kata.ts", "grading", "src", "starter", "variants"];
const SHOWN = 12;

/**
 * Type-checks an exercise with its mutants laid over the reference: a wrong answer shall be wrong
 * for the reason that it was written for.
 * @returns the compiler's complaints; undefined where the exercise has no tsconfig.json
 */
export async function typeErrors(
  kata: Kata,
  composed: readonly Submission[],
): Promise<string[] | undefined> {
  const config = join(kata.folder, "tsconfig.json");
  if (!(await stat(config).catch(() => undefined))) return undefined;
  const folder = join(kata.folder, ".kata");
  const file = join(folder, `tsconfig.verify-${process.pid}.json`);
  await mkdir(folder, { recursive: true });
  const include = [
    ...PARTS.map((part) => join(kata.folder, part)),
    // What a mutant runs. The rest of it is the reference.
    ...composed.map(({ entry }) => entry),
  ].map((path) => relative(folder, path).replaceAll("\\", "/"));
  // What has not changed since the last time is not checked again.
  const compilerOptions = {
    incremental: true,
    tsBuildInfoFile: join(folder, "verify.tsbuildinfo"),
  };
  const settings = { extends: "../tsconfig.json", compilerOptions, include };
  await using _file = await temporaryFile(file, settings);
  return await compile(kata, file);
}

/**
 * Runs the TypeScript compiler that an exercise has.
 * @param config a tsconfig.json
 * @returns its complaints, the first {@link SHOWN}; none when all is well
 */
export async function compile(kata: Kata, config: string): Promise<string[]> {
  try {
    const { resolve } = createRequire(join(kata.folder, "tsconfig.json"));
    const tsc = join(dirname(resolve("typescript/package.json")), "bin", "tsc");
    await promisify(execFile)(process.execPath, [tsc, "-p", config, "--pretty", "false"], {
      cwd: kata.folder,
    });
    return [];
  } catch (error) {
    const { stdout = "" } = error as { stdout?: string };
    return stdout === "" ? [messageOf(error)] : stdout.trim().split("\n").slice(0, SHOWN);
  }
}

async function temporaryFile(file: string, content: object): Promise<AsyncDisposable> {
  await writeFile(file, JSON.stringify(content));
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}
