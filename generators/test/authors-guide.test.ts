/** The author's guide can't rot: the exercise that it shows is put together of its own words, and verified. */
import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { loadFaults } from "@db-katas/engines";
import { expect, test } from "vitest";
import { createExercise } from "../src/create-exercise.ts";
import { createLinkedWorkspace } from "../src/linked-workspace.ts";

const repo = join(import.meta.dirname, "..", "..");
const bin = (name: string) => join(repo, "node_modules", ".bin", name);
const guide = await readFile(join(repo, "docs", "authors-guide.md"), "utf8");

/** A file is shown below a line that holds its path and nothing else. */
const SHOWN = /^`(?<path>[\w./-]+)`:\n\n```\w+\n(?<text>.*?)^```$/gms;
/** What the guide tells to replace. */
const OWN = ["grading", "src", "starter", "mutants", "variants"];

/** @throws with all that the command printed */
async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const options = { cwd, maxBuffer: 1 << 24 };
  return promisify(execFile)(command, args, options).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => Promise.reject(new Error(`${command} ${args}:\n${stdout}${stderr}`)),
  );
}

test("the exercise of the author's guide type-checks, lints and verifies", async () => {
  await using workspace = await createLinkedWorkspace(repo);
  const { root } = workspace;
  const folder = join(root, "projects", "last-seat");
  const exercise = { name: "last-seat", title: "The last seat", engines: ["postgres"] };
  await createExercise({ ...exercise, into: root });
  for (const name of OWN) await rm(join(folder, name), { recursive: true });
  for (const { groups } of guide.matchAll(SHOWN)) {
    const file = join(folder, groups?.path ?? "");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, groups?.text ?? "");
  }
  await workspace.install();
  await run(root, bin("tsc"), "-p", folder);
  await run(root, bin("biome"), "check", "--vcs-enabled=false", "--error-on-warnings", folder);

  const kata = join(repo, "packages", "cli", "src", "main.ts");
  await run(root, process.execPath, kata, "verify", "last-seat");
}, 300_000);

test("the author's guide lists every fault", async () => {
  const listed = [...guide.matchAll(/^\| `(\w+)` +\| (?:server|network) /gm)].map(
    ([, name]) => name,
  );
  const faults = await loadFaults();
  expect(listed.toSorted()).toEqual([...faults.keys()].toSorted());
});

test("the author's guide lists everything that a check is given", async () => {
  const context = await readFile(join(repo, "packages", "grading", "src", "context.ts"), "utf8");
  const members = [...context.matchAll(/^ {2}(?:async |get |readonly )?([a-z]\w*)(?:<.+?>)?[(:]/gm)]
    .map(([, name]) => `t.${name}`)
    .filter(
      (name) => !["t.constructor", "t.leases", "t.trace", "t.process", "t.patient"].includes(name),
    );
  expect(members.filter((name) => !guide.includes(`\`${name}`))).toEqual([]);
});
