/** What verify says of an exercise beside whether its grader is right. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import {
  killMatrix,
  loadKata,
  loadRubric,
  loadSubjects,
  verify,
  withMatrix,
} from "../src/index.ts";

const COUNTER = join(import.meta.dirname, "fixtures", "counter");
let folder: string;

/** Beside the fixture it is a copy of: both import by relative paths. */
beforeEach(async () => {
  folder = await mkdtemp(join(dirname(COUNTER), "warned-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(COUNTER, folder, { recursive: true, filter: (path) => basename(path) !== ".kata" });
});

/** Of nobody in particular: nothing is run. */
async function verified(options: { strict?: boolean } = {}) {
  const kata = await loadKata(folder);
  const rubric = await loadRubric(kata, { mayBeEmpty: true });
  await using engines = await openEngines();
  const nobody = { choose: () => [], types: false, seed: 1 };
  return verify({ kata, rubric, engines, ...nobody, ...options });
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  const file = join(folder, path);
  await writeFile(file, change(await readFile(file, "utf8")));
}

it("nothing of an exercise that is done", async () => {
  expect((await verified()).warnings).toEqual([]);
});

it("which texts are still to be written", async () => {
  await edit("mutants/stuck/mutant.json", (text) =>
    text.replace(/"why": "/, '"why": "To be written, in the voice of somebody who means well. '),
  );
  await writeFile(join(folder, "README.md"), "# Counting\n\n- **Why:** to be\n  written.\n");
  expect((await verified()).warnings).toEqual([
    'mutants/stuck/mutant.json says "to be written"',
    'README.md says "to be written"',
  ]);
});

it("which variant is the reference once more, however deep it lies", async () => {
  const source = await readFile(join(folder, "src/index.ts"), "utf8");
  await edit("variants/other/index.ts", () => source.replaceAll('"../', '"../../'));
  expect((await verified()).warnings).toEqual([
    "variant other is the reference once more: it proves nothing yet",
  ]);
});

it("that the README's kill matrix is out of date; strictly, that is a problem", async () => {
  const kata = await loadKata(folder);
  const rubric = await loadRubric(kata);
  const graded = (await loadSubjects(kata, rubric)).map((subject) => ({ subject, scorecards: [] }));
  const run = { kata, rubric, graded, seed: 1, repeat: 1, startedAt: new Date(0) };
  const marks = "# Counting\n\n<!-- kill-matrix:begin -->\n\n<!-- kill-matrix:end -->\n";
  await writeFile(join(folder, "README.md"), marks);
  expect((await verified({ strict: true })).results.map(({ subject }) => subject)).not.toContain(
    "readme",
  );
  await writeFile(join(folder, "README.md"), withMatrix(marks, killMatrix(run)));
  expect((await verified({ strict: true })).warnings).toEqual([]);

  await cp(join(folder, "mutants/stuck"), join(folder, "mutants/sticky"), { recursive: true });
  await rm(join(folder, "mutants/forgets"), { recursive: true });
  const stale =
    "the README's kill matrix is out of date (without the mutant sticky; no mutant forgets any " +
    `more): pnpm kata verify ${basename(folder)} --full --write`;
  expect((await verified()).warnings).toEqual([stale]);
  const { results, warnings } = await verified({ strict: true });
  expect(warnings).toEqual([]);
  expect(results.find(({ subject }) => subject === "readme")?.problems).toEqual([stale]);
});

it("that there is no check yet", async () => {
  await rm(join(folder, "grading"), { recursive: true });
  await rm(join(folder, "mutants"), { recursive: true });
  const [coverage] = (await verified()).results;
  expect(coverage?.problems).toEqual([
    "there is no check yet: write grading/01-<id>.grade.ts, and a mutant that fails it",
  ]);
  await expect(loadRubric(await loadKata(folder))).rejects.toThrow("has no check yet");
});
