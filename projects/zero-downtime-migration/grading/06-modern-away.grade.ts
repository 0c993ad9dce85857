import { blackHole } from "@db-katas/engines/faults/blackHole";
import { kill } from "@db-katas/engines/faults/kill";
import type { Account, MigrationNode } from "../contract.ts";
import {
  BUDGET_MS,
  check,
  expectBoth,
  goTo,
  hintOnDifferences,
  type MigrationContext,
  SLACK_MS,
  START_MS,
  startNode,
  startTwoNodes,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

export default check({
  title: "a modern that hangs or dies costs no client anything, and gets what it missed",
  points: 5,
  concept: "isolation from failure",
  traps: ["nothing-is-ever-pending", "fails-the-client", "forgets-failures", "waits-for-modern"],
  engines: { legacy: {}, modern: { faults: [blackHole, kill] } },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  timing: true,
  hints: [
    "Until the cut-over modern is a guest. Which of your calls waits for it, and for how long?",
    hintOnDifferences,
    "Note what modern has yet to get in legacy, in the transaction of the write; carry it in the background, again and again until it has arrived. Give every statement and every connection a limit.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 60);
    const [a, b] = await startTwoNodes(t, BUDGET_MS);
    await goTo(a, "legacy", "canary-25");
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    t.step("modern hangs: packets vanish, and nobody is told");
    const hole = await t.inject("modern", blackHole);
    await everyCall(t, a, expected);
    for (const node of [a, b]) {
      const { pending } = await node.status();
      t.ok(pending > 0, "what modern has yet to get is pending, whoever wrote it", {
        expected: "status().pending above 0",
        received: String(pending),
      });
    }
    const comparing = Promise.allSettled([b.verify({ repair: false })]);
    await everyCall(t, b, expected);
    t.step("a node starts, and the operator goes back, while modern hangs");
    const what = "a node opens without modern";
    const started = await t.within(START_MS + SLACK_MS, () => startNode(t, "c", BUDGET_MS), what);
    if (started.outcome.status === "rejected") throw started.outcome.reason;
    const c = started.outcome.value;
    await everyCall(t, c, expected);
    await c.setPhase("shadow");
    await everyCall(t, a, expected);
    const [comparison] = await comparing;
    t.equal(comparison.status, "rejected", "what can't be compared is not said to be right");
    await hole.heal();
    await expectBoth(t, b, expected, "what was written while modern hung arrives");

    t.step("modern is killed in the middle of writes, and comes back");
    await a.setPhase("canary-5");
    const writes = Promise.all([a, b].map((node) => everyCall(t, node, expected)));
    writes.catch(() => {});
    const crash = await t.inject("modern", kill);
    await writes;
    await Promise.all([b, c].map((node) => everyCall(t, node, expected)));
    await crash.heal();
    await expectBoth(t, a, expected, "what was written while modern was down arrives");
  },
});

/** Each of a client's calls, in time and without an error; what was written is read at once. */
async function everyCall(
  t: MigrationContext,
  node: MigrationNode,
  expected: Map<string, Account>,
): Promise<void> {
  const within = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const text = `${name} answers within its budget, whatever modern does`;
    const { outcome } = await t.within(BUDGET_MS + SLACK_MS, run, text);
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  };
  // Taken at once: somebody else who does this meanwhile picks another one.
  const gone = t.random.pick([...expected.keys()]);
  expected.delete(gone);
  const fresh = someAccount(t);
  await within("create()", () => node.create(fresh));
  const changed = { ...fresh, balanceCents: fresh.balanceCents + 1 };
  await within("update()", () => node.update(fresh.id, { balanceCents: changed.balanceCents }));
  expected.set(fresh.id, changed);
  await within("remove()", () => node.remove(gone));
  const reads = await within("getMany()", () => node.getMany([fresh.id, gone]));
  t.equal(
    reads.map(({ account }) => account),
    [changed, null],
    "what was written is read",
  );
  t.equal((await within("get()", () => node.get(fresh.id))).account, changed, "and again");
  // Many: of those that nobody wrote lately, some are the canary's.
  const ids = [...expected.keys()];
  const all = await within("getMany()", () => node.getMany(ids));
  t.equal(all.length, ids.length, "one answer for each id");
}
