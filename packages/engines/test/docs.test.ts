import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMeasurements } from "../bench/measurements.ts";
import { engineDocs } from "../bench/table.ts";
import { loadDefinitions } from "../src/index.ts";

test("docs/engines.md is what `pnpm --filter @db-katas/engines table` makes", async () => {
  const file = join(import.meta.dirname, "..", "..", "..", "docs", "engines.md");
  const definitions = [...(await loadDefinitions()).values()];
  expect(await readFile(file, "utf8"), "run it, and read what has changed").toBe(
    engineDocs(definitions, await readMeasurements()),
  );
});

test("each engine is measured once", async () => {
  const measured = (await readMeasurements()).map(({ engine }) => engine);
  expect(measured).toEqual([...new Set(measured)]);
});
