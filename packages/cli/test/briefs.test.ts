import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadRubric } from "@db-katas/grading";
import { expect, test } from "vitest";
import { readClaims } from "../src/falsify/logs.ts";
import { listKatas } from "../src/workspace.ts";

const workspace = { root: join(import.meta.dirname, "..", "..", "..") };

test("what a brief names behind the questions that one answers first is there to answer them", async () => {
  for (const kata of await listKatas(workspace)) {
    const brief = await readFile(join(kata.folder, "README.md"), "utf8");
    const section = /## Predict first\n([\s\S]*?)\n## /.exec(brief)?.[1] ?? "";
    const named = [...section.matchAll(/\(`[^)]+`\)/g)].flatMap(([names]) =>
      [...names.matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name),
    );
    const checks = (await loadRubric(kata)).map(({ id }) => id);
    const claims = (await readClaims(workspace, [kata])).map(({ claim }) => claim.fields.id);
    for (const name of named) expect([...checks, ...claims], kata.name).toContain(name);
  }
});
