import type { Account, MigrationNode } from "../contract.ts";
import { atEachMessage, fulfilled, settledOrBlocked } from "./interleave.ts";
import {
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  type MigrationContext,
  startNode,
  startTwoNodes,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

export default check({
  title:
    "one store has the last word, also when two operators cut over at once, or one of them is late",
  points: 4,
  concept: "cut-over",
  traps: ["pass-without-an-epoch", "gives-what-it-gave-away"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "a has closed legacy, and its message that opens modern is late. Meanwhile b does both, and goes back. Then it arrives.",
    hintOnDifferences,
    "Under the lock, ask again whether this store still has the last word: somebody else may have given it away. And give each turn a number, so that a late message is known for what it is.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 100);
    const [a, b] = await startTwoNodes(t);
    const c = await startNode(t, "c");
    await goTo(a, "legacy", "canary-100");
    const place = { patienceMs: 1_000 };
    const ids = [...expected.keys()];
    await atEachMessage(
      t,
      { ...place, store: "modern", node: "a", enoughMs: 12_000 },
      async (interleave) => {
        const id = ids.pop() ?? "";
        await a.setPhase("modern");
        // Who has last heard of modern asks there first: were both stores open, it would tell.
        await c.get(id);
        await a.setPhase("canary-100");
        t.step("a cuts over and is stopped on its way to modern; b does so, too, and goes back");
        const [, other] = await interleave(
          () => a.setPhase("modern"),
          async () => {
            // Of two operators one may be refused.
            await Promise.allSettled([b.setPhase("modern")]);
            await Promise.allSettled([b.setPhase("canary-100")]);
            await writeAndRead(t, [b], id, expected);
          },
        );
        fulfilled(other);
        await agree(t, [b, a, c], id, expected);
      },
    );

    await atEachMessage(t, { ...place, store: "legacy", node: "b" }, async (interleave) => {
      const id = ids.pop() ?? "";
      await a.setPhase("canary-100");
      using late = t.hold("legacy", { node: "a", match: /./, nth: 2 });
      const over = Promise.allSettled([a.setPhase("modern")]);
      await Promise.race([late.held, over]);
      t.step(
        "a is about to cut over when b does, and is stopped in turn on its way back to legacy",
      );
      // Where a has locked something by now, b waits for it.
      const too = Promise.allSettled([b.setPhase("modern")]);
      await settledOrBlocked(t, too);
      await interleave(
        () => b.setPhase("canary-100"),
        async () => {
          late.release();
          await Promise.all([over, too]);
        },
      );
      await agree(t, [b, a, c], id, expected);
    });
    await expectBoth(t, a, expected, "all of that stands in both stores");
  },
});

/**
 * One phase, and one store that is written and read, whoever of the operators came last. Two nodes write:
 * of writes to two stores one can't arrive.
 */
async function agree(
  t: MigrationContext,
  nodes: readonly MigrationNode[],
  id: string,
  expected: Map<string, Account>,
): Promise<void> {
  await writeAndRead(t, [...nodes].reverse(), id, expected);
  await writeAndRead(t, nodes, id, expected);
  const phases = await Promise.all(nodes.map(async (node) => (await node.status()).phase));
  t.equal(new Set(phases).size, 1, "all nodes know one phase");
}

/** The first of the nodes writes, all of them read. */
async function writeAndRead(
  t: MigrationContext,
  nodes: readonly MigrationNode[],
  id: string,
  expected: Map<string, Account>,
): Promise<void> {
  const changed = someAccount(t, id);
  await nodes[0]?.update(id, changed);
  expected.set(id, changed);
  await expectAccount(t, nodes, id, changed, "what was acknowledged is read by every node");
}
