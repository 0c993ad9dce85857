import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultTemplates } from "../src/create-exercise.ts";
import { availableEngines } from "../src/engines.ts";

test("whoever has templates is an engine of the registry", async () => {
  const names = (await availableEngines(defaultTemplates)).map(({ name }) => name);
  expect(names).toEqual(await readdir(join(defaultTemplates, "engines")));
});
