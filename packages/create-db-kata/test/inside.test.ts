/** In a workspace, such as a clone, no other one is made. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createExercise, createLinkedWorkspace, type LinkedWorkspace } from "@db-katas/generators";
import { afterAll, beforeAll, expect, it } from "vitest";
import { attempt, MAIN } from "./registry.ts";

const repo = join(import.meta.dirname, "..", "..", "..");
let workspace: LinkedWorkspace;

/** As a clone is: it runs the command from its source, and has exercises in projects/. */
beforeAll(async () => {
  workspace = await createLinkedWorkspace(repo);
  const file = join(workspace.root, "package.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  manifest.devDependencies = { "@db-katas/cli": "workspace:*" };
  await writeFile(file, JSON.stringify(manifest));
  const exercise = { name: "note-book", title: "Notes", engines: ["sqlite"] };
  await createExercise({ ...exercise, into: workspace.root });
  await workspace.install();
}, 120_000);
afterAll(() => workspace[Symbol.asyncDispose]());

/** What it prints, without the folder of this run. */
async function create(...args: string[]) {
  const ran = await attempt(workspace.root, process.env, process.execPath, MAIN, ...args);
  const clean = (text: string) => text.replaceAll(workspace.root, "<workspace>");
  return { code: ran.code, stdout: clean(ran.stdout), stderr: clean(ran.stderr) };
}

it("starts an attempt at an exercise that is there", async () => {
  const { code, stdout, stderr } = await create("katas", "--kata", "note-book", "--no-install");
  expect(stderr).toContain("<workspace> is a workspace already: this goes there.\n");
  expect(stdout).toMatchInlineSnapshot(`
    "
    Your workspace is ready. Now:

      cd <workspace>
      pnpm install
      pnpm kata grade note-book --watch
    "
  `);
  expect(code).toBe(0);
  expect(await readdir(join(workspace.root, "attempts"))).toEqual(["note-book"]);
  expect(await readdir(workspace.root)).not.toContain("katas");
}, 60_000);

it("adds a new exercise to projects/, and shows it before", async () => {
  const own = ["--new", "own", "--engines", "sqlite"];
  const shown = await create(...own, "--dry-run", "--json");
  const { files } = JSON.parse(shown.stdout) as { files: Record<string, string> };
  expect(files["projects/own/kata.ts"]).toContain('title: "Own"');
  expect(await readdir(join(workspace.root, "projects"))).toEqual(["note-book"]);

  const { code, stdout } = await create(...own, "--no-install");
  expect(stdout).toMatchInlineSnapshot(`
    "
    Your workspace is ready. Now:

      cd <workspace>
      pnpm install
      pnpm kata verify own
    "
  `);
  expect(code).toBe(0);
  expect(await readdir(join(workspace.root, "projects"))).toEqual(["note-book", "own"]);
}, 60_000);

it("refuses what is there, before anything is done", async () => {
  const twice = await create("--kata", "note-book", "--new", "other", "--engines", "sqlite");
  expect(`${twice.code} ${twice.stderr}`).toMatchInlineSnapshot(`
    "2 ATTEMPT_EXISTS  You have already started note-book, in <workspace>/attempts/note-book.
    What to do: pnpm kata grade note-book   (to start over, move that folder away first)
    "
  `);
  const taken = await create("--new", "note-book", "--engines", "sqlite");
  expect(`${taken.code} ${taken.stderr}`).toMatchInlineSnapshot(`
    "2 NAME_TAKEN  The name note-book is taken by the folder projects/note-book.
    What to do: choose another one, for example: pnpm kata new note-book-2
    "
  `);
  expect(await readdir(join(workspace.root, "projects"))).not.toContain("other");
});
