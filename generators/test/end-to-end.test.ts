import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createExercise } from "../src/create-exercise.ts";
import { createLinkedWorkspace } from "../src/linked-workspace.ts";

const repo = join(import.meta.dirname, "..", "..");
const bin = (name: string) => join(repo, "node_modules", ".bin", name);

/** Resolves to what was printed; the error of a command that fails holds it. */
const run = async (cwd: string, command: string, ...args: string[]) =>
  (await promisify(execFile)(command, args, { cwd, maxBuffer: 1 << 24 })).stdout;

test("a new exercise type-checks, lints and verifies as it is, outside of the clone", async () => {
  const workspace = await createLinkedWorkspace(repo);
  const { root } = workspace;
  try {
    const engines = ["postgres", "redis", "sqlite"];
    await createExercise({ name: "note-book", title: `It's "notes"`, engines, into: root });
    await workspace.install();
    await run(root, bin("tsc"), "-p", "projects/note-book");
    await run(
      root,
      bin("biome"),
      "check",
      "--vcs-enabled=false",
      "--error-on-warnings",
      "projects",
    );

    const kata = join(repo, "packages", "cli", "src", "main.ts");
    const output = await run(root, process.execPath, kata, "verify", "note-book", "--json");
    const { results } = JSON.parse(output) as {
      results: { subject: string; holds: boolean; problems: string[]; notGraded?: string }[];
    };
    expect(
      results.map(({ subject, problems, notGraded }) => [subject, notGraded ?? problems]),
    ).toEqual([
      ["coverage", []],
      ["types", []],
      ["reference", []],
      ["starter", []],
      ["variant append-only", []],
      ["mutant in-memory", []],
      ["mutant swallowed-errors", []],
    ]);
  } finally {
    await workspace[Symbol.asyncDispose]();
  }
  await expect(stat(root)).rejects.toThrow("ENOENT");
}, 180_000);
