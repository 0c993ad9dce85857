import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadKata, loadMutants, loadRubric, namesInReadme } from "@db-katas/grading";
import { expect, test } from "vitest";

test("the README's kill matrix, once it is made, is of the checks and mutants that there are", async () => {
  const kata = await loadKata(join(import.meta.dirname, ".."));
  const rubric = await loadRubric(kata);
  const named = namesInReadme(await readFile(join(kata.folder, "README.md"), "utf8"));
  if (named.checks.length === 0) return;
  const mutants = await loadMutants(kata, rubric);
  expect(named).toEqual({
    checks: rubric.map(({ id }) => id),
    mutants: mutants.map(({ name }) => name),
  });
});
