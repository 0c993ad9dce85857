import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadDefinitions } from "@db-katas/engines";
import { expect, test } from "vitest";
import { defaultTemplates } from "../src/create-exercise.ts";
import { availableEngines, chooseEngines } from "../src/engines.ts";

test("every engine of the registry has templates, or says why not", async () => {
  const folders = await readdir(join(defaultTemplates, "engines"));
  expect(folders.sort()).toEqual([...(await loadDefinitions()).keys()].sort());
  const available = (await availableEngines(defaultTemplates)).map(({ name }) => name);
  const refusals = await Promise.all(
    folders
      .filter((name) => !available.includes(name))
      .map((name) => chooseEngines(defaultTemplates, [name]).catch((error) => error.message)),
  );
  expect(refusals).toMatchInlineSnapshot(`
    [
      "There are no exercises to be made for kafka-connect: it carries what others keep, and keeps nothing itself: choose kafka, and add a connector to what comes out.",
      "There are no exercises to be made for tidb: nobody could run it where these templates are proven; choose mysql, which speaks its protocol.",
    ]
  `);
});

test("an engine like another one has its code and its drivers", async () => {
  const [pgvector, postgres] = await chooseEngines(defaultTemplates, ["pgvector", "postgres"]);
  expect(pgvector).toMatchObject({ code: "postgres", dependencies: postgres?.dependencies });
  expect(pgvector?.question).not.toBe(postgres?.question);
});
