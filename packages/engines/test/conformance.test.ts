import { describeEngine } from "../src/conformance/index.ts";
import { loadDefinitions } from "../src/index.ts";

for (const name of (await loadDefinitions()).keys()) await describeEngine(name);
