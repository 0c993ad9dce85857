import { join } from "node:path";
import { expect, test } from "vitest";
import { kataProgram } from "../src/program.ts";
import { tablesIn } from "../src/tables/tables.ts";

const root = join(import.meta.dirname, "..", "..", "..");

test("the README's tables are what `pnpm tables` makes of the exercises and the commands", async () => {
  const tables = await tablesIn({ root }, kataProgram());
  expect(tables?.before, "run pnpm tables, and read what has changed").toBe(tables?.after);
  expect(tables?.after).toMatch(/^\| \[session-failover\]\(projects\/session-failover\/\)/m);
  expect(tables?.after).toMatch(/^\| `kata new check \[kata\] \[id\]`/m);
});
