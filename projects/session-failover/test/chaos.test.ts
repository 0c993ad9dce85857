/** The chaos monkey on real engines: the reference survives it, and the naive answer does not. */
import { join } from "node:path";
import { cacheFolder, type EngineRun, openEngines } from "@db-katas/engines";
import { fingerprint, freshSeed, loadKata } from "@db-katas/grading";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Target } from "../chaos/cluster.ts";
import { runSchedule } from "../chaos/run.ts";
import { describeEvent, scheduleFrom } from "../chaos/schedule.ts";
import { summarize } from "../chaos/summary.ts";
import { findTarget } from "../chaos/targets.ts";

const KATA = join(import.meta.dirname, "..");
const SEED = Number(process.env.KATA_SEED ?? freshSeed());
const SIDE_BY_SIDE = 2;

let engines: EngineRun;
beforeAll(async () => {
  engines = await openEngines();
});
afterAll(() => engines[Symbol.asyncDispose]());

async function outcomes(name: string, runs: number) {
  const kata = await loadKata(KATA);
  const submission = await findTarget(kata, name, KATA);
  const compileCache = join(cacheFolder(), "compile-cache");
  const hash = await fingerprint(submission);
  const target: Target = { kata, submission, fingerprint: hash, engines, compileCache };
  const schedules = Array.from({ length: runs }, (_, index) => scheduleFrom(SEED + index));
  const ended: {
    seed: number;
    events: string[];
    overlaps: readonly number[];
    texts: readonly string[];
  }[] = [];
  const worker = async () => {
    for (let next = schedules.shift(); next; next = schedules.shift()) {
      const { seed, overlaps, texts } = summarize(await runSchedule(target, next));
      ended.push({ seed, events: next.events.map(describeEvent), overlaps, texts });
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return ended;
}

test("the reference survives ten chaos runs", { timeout: 180_000 }, async () => {
  const runs = await outcomes("reference", 10);
  expect(runs).toHaveLength(10);
  expect(runs.filter(({ texts }) => texts.length > 0)).toEqual([]);
  // Each fault met a write: a run that a fault did not disturb proves nothing.
  expect(runs.flatMap(({ overlaps }) => overlaps).every((count) => count > 0)).toBe(true);
});

test("the naive answer fails the same schedules", { timeout: 60_000 }, async () => {
  const runs = await outcomes("mutant redis-first", 3);
  expect(runs.filter(({ texts }) => texts.length === 0)).toEqual([]);
});
