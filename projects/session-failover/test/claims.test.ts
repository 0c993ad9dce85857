import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadKata, loadRubric } from "@db-katas/grading";
import { checkClaim, loadExperiment, parseLog } from "@db-katas/measure";
import { expect, it } from "vitest";

const folder = join(import.meta.dirname, "..");

it("every claim of the decision log can be put to the test", async () => {
  const log = parseLog(await readFile(join(folder, "DATABASE_DECISION_LOG.md"), "utf8"));
  expect(log.problems).toEqual([]);
  expect(log.claims.length).toBeGreaterThan(0);
  const rubric = await loadRubric(await loadKata(folder));
  for (const claim of log.claims) {
    if (claim.kind === "measured") {
      const file = join(folder, "experiments", `${claim.fields.experiment}.experiment.ts`);
      expect(checkClaim(claim, await loadExperiment(file)), claim.fields.id).toEqual([]);
    } else if (claim.kind === "checked") {
      expect(rubric.map(({ id }) => id)).toEqual(expect.arrayContaining(claim.fields.checks));
    }
  }
});
