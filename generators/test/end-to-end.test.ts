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
    // Without an example, too.
    const frame = { title: "Frame", empty: true, into: root } as const;
    await createExercise({ ...frame, name: "frame", engines });
    await createExercise({ ...frame, name: "frame-http", engines: ["sqlite"], shape: "http" });
    await workspace.install();
    for (const name of ["note-book", "frame", "frame-http"]) {
      await run(root, bin("tsc"), "-p", `projects/${name}`);
    }
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

    const missing = await promisify(execFile)(process.execPath, [kata, "verify", "frame"], {
      cwd: root,
    }).catch((error: { code: number; stdout: string }) => error);
    expect(missing).toMatchObject({ code: 1 });
    expect(
      missing.stdout
        .replaceAll(/ +\d+\.\d s/g, "")
        .split("\n")
        .slice(1),
    ).toEqual([
      "  ✗  coverage: every check has a mutant that must fail it",
      "        there is no check yet: write grading/01-<id>.grade.ts, and a mutant that fails it",
      "  ✓  types: reference, starter, variants and mutants type-check",
      '  ⚠ kata.ts says "to be written"',
      '  ⚠ README.md says "to be written"',
      "",
      "1 passed, 1 failed, 0 skipped",
      "",
    ]);
  } finally {
    await workspace[Symbol.asyncDispose]();
  }
  await expect(stat(root)).rejects.toThrow("ENOENT");
}, 180_000);
