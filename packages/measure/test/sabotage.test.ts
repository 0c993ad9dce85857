import { join } from "node:path";
import { type EngineRun, openEngines } from "@db-katas/engines";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type MeasureError, parseLog, proveClaim } from "../src/index.ts";

const fixtures = join(import.meta.dirname, "fixtures", "attempt");
const { signal } = new AbortController();

let engines: EngineRun;
beforeAll(async () => {
  engines = await openEngines();
});
afterAll(() => engines[Symbol.asyncDispose]());

function prove(experiment: string, predicate: string, more = "") {
  const text = `\`\`\`claim\nid: it\nexperiment: ${experiment}\npredicate: ${predicate}${more}\n\`\`\``;
  const [claim] = parseLog(text).claims;
  if (claim?.kind !== "measured") throw new Error("it can't be read");
  const file = join(fixtures, `${experiment}.experiment.ts`);
  return proveClaim(claim, file, { engines, delayMs: 50, log: "LOG.md", seed: 1, signal });
}

const verdicts = ({ finding, sabotaged, proven }: Awaited<ReturnType<typeof prove>>) => [
  finding.verdict,
  sabotaged.redis?.verdict,
  proven,
];

it("a claim that was measured is proven: it comes out otherwise with Redis further away", async () => {
  expect(verdicts(await prove("lookup", "p50(redis) <= 60 ms"))).toEqual([
    "held",
    "falsified",
    true,
  ]);
});

it("so is folklore that is falsified, and held where it is made true", async () => {
  const slow = await prove("lookup", "p50(redis) >= 60 ms", "\nexpected: falsified");
  expect(verdicts(slow)).toEqual(["falsified", "held", true]);
});

it.each([
  ["what can't fail", "lookup", "p50(redis) >= 0 ms"],
  ["so wide a bound that no delay shows", "lookup", "p50(redis) <= 10 s"],
  ["a constant", "made-up", "took(constant) <= 5 ms"],
  ["what never touches the engine", "made-up", "took(elsewhere) <= 1 s"],
  ["answers in the grader's name", "forged", "took(redis) <= 5 ms"],
])("nothing is proven by %s", async (_, experiment, predicate) => {
  expect(verdicts(await prove(experiment, predicate))).toEqual(["held", "held", false]);
});

it("nor by what guesses when the delay comes", async () => {
  expect((await prove("made-up", "took(alternating) <= 5 ms")).proven).toBe(false);
});

it("nor by a claim that isn't so", async () => {
  expect((await prove("lookup", "p50(redis) >= 60 ms")).proven).toBe(false);
});

it("an experiment that reaches for the grader's levers is told what it may use", async () => {
  const error = await prove("ends", "p50(redis) <= 5 ms").catch((each: MeasureError) => each);
  expect((error as MeasureError).message).toMatchSnapshot();
});

it("sizes take too long to be graded", async () => {
  const scale = "\nscale: { rows: [1, 2, 3, 4] }";
  const error = await prove("lookup", "growth(p50(redis)) <= 1", scale).catch(
    (each: MeasureError) => each,
  );
  expect((error as MeasureError).message).toMatchSnapshot();
});
