/** What tests of generators share. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { applyChanges } from "../src/changes.ts";
import { GeneratorError } from "../src/errors.ts";
import { parts } from "../src/parts/index.ts";
import type { Answers, Plan } from "../src/parts/part.ts";

export const repo = join(import.meta.dirname, "..", "..");

export const bin = (name: string) => join(repo, "node_modules", ".bin", name);

/** An empty workspace, for as long as the test runs. */
export async function emptyWorkspace(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "kata-generators-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "projects"));
  return root;
}

/** What `kata new <name> …` does. */
export async function make(root: string, name: string, answers: Answers): Promise<Plan> {
  const part = parts.find((each) => each.name === name);
  if (!part) throw new Error(`no generator is called ${name}`);
  const plan = await part.plan(root, answers);
  await applyChanges(root, plan.changes);
  return plan;
}

/** Code and text of the error, with the workspace's folder made the same in every run. */
export async function failureOf(root: string, work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof GeneratorError)) throw new Error(`no GeneratorError: ${error}`);
  const text = `${error.code}  ${error.message}`.replaceAll(root, "<workspace>");
  return text.replace(/drafts\/[0-9a-f-]{36}/g, "drafts/<id>");
}

/** Every file, by its path in the folder. */
export async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** @returns what it printed; the error of a command that fails holds it */
export async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const options = { cwd, maxBuffer: 1 << 26 };
  return promisify(execFile)(command, args, options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => Promise.reject(new Error(`${command} ${args}:\n${stdout}${stderr}`)),
  );
}
