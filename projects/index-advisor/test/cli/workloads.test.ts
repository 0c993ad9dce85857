/** Workloads whose right answer is known, at the size that they have for tests. */
import { afterAll, expect, it } from "vitest";
import { loadWorkload } from "../../workloads/index.ts";
import { closeEngines, connected, openDatabases } from "../databases.ts";
import { openFolder, sqlOf, typed } from "./tool.ts";

/** On a machine with much else to do. */
const SLOW = 240_000;
afterAll(closeEngines);

async function advised(name: string, ...more: readonly string[]) {
  await using databases = await openDatabases();
  await using folder = await openFolder();
  const { target, scratch } = databases;
  const workload = await loadWorkload(name);
  const size = { scale: workload.smallScale, seed: 1 };
  for (const url of [target, scratch]) {
    await using client = await connected(url);
    await workload.load(client, size);
  }
  const file = await folder.write("work.sql", sqlOf(workload.statements(size)));
  return await typed(["--url", target, "--scratch-url", scratch, "--sql", file, ...more]);
}

it("recommends nothing where the many write what the few would like", {
  timeout: SLOW,
}, async () => {
  const { code, stdout } = await advised("write-heavy");
  expect(stdout).toContain("Nothing to recommend");
  expect(stdout).not.toContain("CREATE INDEX CONCURRENTLY");
  expect(code).toBe(0);
});

it("names what is doubled, overtaken or broken, and nothing that only looks so", {
  timeout: SLOW,
}, async () => {
  const { code, stdout } = await advised("untidy", "--json");
  const { drop } = JSON.parse(stdout) as { drop: { name: string; reason: string; keep: string }[] };
  const told = drop.map(({ name, reason, keep }) => `${name}: ${reason}, ${keep}`);
  expect(told.toSorted()).toMatchInlineSnapshot(`
    [
      "public.customer_email_idx: redundant-prefix, public.customer_email_key",
      "public.customer_number_idx: duplicate, public.customer_number_key",
      "public.invoice_customer_idx1: redundant-prefix, public.invoice_customer_issued_idx",
      "public.invoice_customer_idx: redundant-prefix, public.invoice_customer_issued_idx",
      "public.invoice_reference_key: invalid, null",
      "public.payment_id_idx: duplicate, public.payment_pkey",
    ]
  `);
  expect(code).toBe(0);
});
