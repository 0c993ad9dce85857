import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import pg from "pg";
import type { Account, MigrationNode, StoreName } from "../contract.ts";
import { fulfilled } from "./interleave.ts";
import {
  ARRIVAL_MS,
  BUDGET_MS,
  check,
  expectBoth,
  goTo,
  hintOnDifferences,
  type MigrationContext,
  SLACK_MS,
  startTwoNodes,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

export default check({
  title:
    "without the store that has the last word nobody is told anything, and what was told survives its crash",
  points: 4,
  concept: "isolation from failure",
  traps: [
    "lead-away-is-success",
    "lead-away-reads-null",
    "unlogged",
    "not-flushed",
    "retries-for-ever",
  ],
  engines: { legacy: { faults: [kill] }, modern: { faults: [blackHole, kill] } },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  timing: true,
  hints: [
    "What does a client learn from null, from an account, from a call that resolves? Which of these do you know without the store that has the last word?",
    hintOnDifferences,
    "What is pending must be as durable as the write itself: the same transaction, a table that survives a crash, a commit that waits for the disk.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 30);
    const [a, b] = await startTwoNodes(t, BUDGET_MS);
    await goTo(a, "legacy", "canary-50");
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    t.step("modern hangs, clients write, and legacy crashes right after the last answer");
    const hole = await t.inject("modern", blackHole);
    await lateFlush(t, "legacy");
    await writes(t, [a, b], expected);
    const crash = await t.inject("legacy", kill);
    await Promise.all([a, b].map((node) => everyCallIsRefused(t, node, expected)));
    await crash.heal();
    t.step("legacy is back, with all that it said");
    await t.eventually(
      ARRIVAL_MS,
      async () => (await a.status()).phase,
      (phase) => phase === "canary-50",
      "the phase is what it was",
      "canary-50",
    );
    await hole.heal();
    await expectBoth(t, b, expected, "what was pending at the crash arrives");

    t.step("the same with modern, after the cut-over");
    await goTo(b, "canary-50", "modern");
    await lateFlush(t, "modern");
    await writes(t, [a, b], expected);
    // A server that is gone refuses connections; behind a network that is silent, nobody says anything.
    const silence = await t.inject("modern", blackHole);
    const second = await t.inject("modern", kill);
    await Promise.all([a, b].map((node) => everyCallIsRefused(t, node, expected)));
    await second.heal();
    await silence.heal();
    await expectBoth(t, a, expected, "modern is back, with all that it said");
  },
});

/** From now on a server writes its log when a commit waits for it, and hardly ever otherwise. */
async function lateFlush(t: MigrationContext, store: StoreName): Promise<void> {
  // The server's own administrator stays out of the database in which a submission could lie in wait.
  const client = new pg.Client({ connectionString: t.lease(store).engine.adminUrl });
  await client.connect();
  await client.query("ALTER SYSTEM SET wal_writer_delay = '10s'");
  await client.query("SELECT pg_reload_conf()");
  await client.end();
}

async function writes(
  t: MigrationContext,
  nodes: readonly MigrationNode[],
  expected: Map<string, Account>,
): Promise<void> {
  for (const node of nodes) {
    const [changed = "", removed = ""] = t.random.shuffle([...expected.keys()]);
    const account = someAccount(t, changed);
    await node.update(changed, account);
    expected.set(changed, account);
    await node.remove(removed);
    expected.delete(removed);
    const fresh = someAccount(t);
    await node.create(fresh);
    expected.set(fresh.id, fresh);
  }
}

/** In time, and with the one code that promises nothing. */
async function everyCallIsRefused(
  t: MigrationContext,
  node: MigrationNode,
  expected: ReadonlyMap<string, Account>,
): Promise<void> {
  const [id = ""] = t.random.shuffle([...expected.keys()]);
  // A write that is refused may have happened; one that changes nothing does no harm.
  const account = expected.get(id) ?? someAccount(t);
  const calls = {
    get: () => node.get(id),
    getMany: () => node.getMany([...expected.keys()]),
    update: () => node.update(id, { email: account.email }),
    create: () => node.create(account),
    remove: () => node.remove(`none-${id}`),
  };
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const what = `${name}() is refused within its budget`;
      const { outcome } = await t.within<unknown>(BUDGET_MS + SLACK_MS, call, what);
      await t.rejects(
        Promise.resolve().then(() => fulfilled(outcome)),
        "STORE_UNAVAILABLE",
        what,
      );
    }),
  );
}
