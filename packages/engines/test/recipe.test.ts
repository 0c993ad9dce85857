/** What CONTRIBUTING says of a new engine is all that it takes: four files, and no edit elsewhere. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine } from "../src/conformance/index.ts";

const definitions = join(import.meta.dirname, "definitions");

test("it is made of the files that CONTRIBUTING's table names, and of no others", () => {
  const file = join(import.meta.dirname, "..", "..", "..", "CONTRIBUTING.md");
  const [, section = ""] = readFileSync(file, "utf8").split("**An engine.**");
  const [table = ""] = section.split("These four will do");
  const named = [...table.matchAll(/^\| `(\S+)`/gm)].map(([, name]) => name);
  expect(named).toHaveLength(4);
  expect(readdirSync(join(definitions, "shelf")).sort()).toEqual(named.sort());
});

await describeEngine("shelf", { definitions, env: { ...process.env, KATA_ENGINES: "process" } });
