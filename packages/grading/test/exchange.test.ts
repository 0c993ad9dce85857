import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CheckResult, findSubmission, grade, loadKata, loadRubric } from "../src/index.ts";

const SERVER = join(import.meta.dirname, "fixtures", "server");

let engines: EngineRun;
beforeAll(async () => {
  engines = await openEngines();
});
afterAll(() => engines[Symbol.asyncDispose]());

async function gradeFolder(folder: string, isolated: boolean): Promise<CheckResult> {
  const kata = await loadKata(SERVER);
  const rubric = await loadRubric(kata);
  const submission = await findSubmission(join(SERVER, folder), folder);
  const options = { kata, rubric, submission, engines, seed: 7, target: "server", isolated };
  const { checks } = await grade(options);
  return checks[0] as CheckResult;
}

/** What becomes of a node that listens, and what is said of it. */
const OUTCOMES = [
  ["src", "passed", undefined],
  ["broken/silent", "timed out", /^GET \/ on node a did not answer within 1000 ms\.$/],
  ["broken/hangs-up", "failed", /^GET \/ on node a rejected: .*fetch failed: /],
  ["broken/dies", "crashed", /it exited with code 5/],
  ["broken/nobody-there", "failed", /^GET \/ on node a rejected: .*fetch failed: /],
  ["broken/elsewhere", "failed", /^node a says where it listens$/],
  ["broken/no-address", "failed", /^node a says where it listens$/],
] as const;

it.each(OUTCOMES)("%s: %s", async (folder, verdict, message) => {
  const result = await gradeFolder(folder, false);
  expect(result).toMatchObject({ verdict });
  if (message) expect(result.failure?.message).toMatch(message);
});

it("isolated nodes are reached where they listen, too, with the same verdicts", async (context) => {
  const refusal = await gradeFolder("src", true).then(
    () => undefined,
    (error: Error & { code?: string }) => error,
  );
  if (refusal?.code === "ISOLATION_UNAVAILABLE") context.skip(refusal.message);
  const verdicts = [];
  for (const [folder] of OUTCOMES) verdicts.push((await gradeFolder(folder, true)).verdict);
  expect(verdicts).toEqual(OUTCOMES.map(([, verdict]) => verdict));
});
