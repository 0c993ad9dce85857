import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEngines } from "@db-katas/engines";
import { expect, it } from "vitest";
import { Journal, loadExperiment, runExperiment } from "../src/index.ts";

it("an experiment on Redis and PostgreSQL", async () => {
  const folder = await mkdtemp(join(tmpdir(), "measure-"));
  try {
    await using engines = await openEngines();
    const experiment = await loadExperiment(
      join(import.meta.dirname, "fixtures", "key-lookup.experiment.ts"),
    );
    const journal = await Journal.open(join(folder, "results.jsonl"));
    const results = await runExperiment(experiment, { engines, journal, size: "quick", turns: 2 });
    for (const contender of ["redis", "postgres"]) {
      expect(results.latencies(contender, "latency")?.map(({ count }) => count)).toEqual([40, 40]);
      expect(results.values(contender, "found")).toEqual([1, 1]);
      for (const bytes of results.values(contender, "memory") ?? []) {
        expect(bytes).toBeGreaterThan(2 ** 20);
      }
    }
    expect(results.environment.engines.redis?.engine).toBe("redis");
  } finally {
    await rm(folder, { recursive: true });
  }
});
