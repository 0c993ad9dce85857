/** Writes docs/engines.md. Run: `pnpm table` in this package. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadDefinitions } from "../src/registry.ts";
import { readMeasurements } from "./measurements.ts";
import { engineDocs } from "./table.ts";

const file = join(import.meta.dirname, "..", "..", "..", "docs", "engines.md");
await writeFile(
  file,
  engineDocs([...(await loadDefinitions()).values()], await readMeasurements()),
);
