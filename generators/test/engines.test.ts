import { loadDefinitions } from "@db-katas/engines";
import { expect, test } from "vitest";
import { defaultTemplates } from "../src/create-exercise.ts";
import { availableEngines } from "../src/engines.ts";

test("every engine of the registry can be generated for", async () => {
  const names = (await availableEngines(defaultTemplates)).map(({ name }) => name);
  expect(names).toEqual([...(await loadDefinitions()).keys()]);
});
