import { join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { expect, it } from "vitest";
import { findSubmission, grade, loadKata, loadRubric } from "../src/index.ts";

const CLOCKS = join(import.meta.dirname, "fixtures", "clocks");

it("a node's clock can be set wrong, before it is started and while it runs", async () => {
  await using engines = await openEngines();
  const kata = await loadKata(CLOCKS);
  const rubric = await loadRubric(kata);
  const submission = await findSubmission(CLOCKS, "clocks");
  const { checks } = await grade({ kata, rubric, submission, engines, seed: 7, target: "clocks" });
  expect(checks[0]?.failure).toBeUndefined();
  expect(checks[0]?.verdict).toBe("passed");
});
