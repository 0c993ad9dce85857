import { setTimeout as wait } from "node:timers/promises";
import type { Account } from "../contract.ts";
import { atEachMessage, fulfilled } from "./interleave.ts";
import {
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  type MigrationContext,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { accountsIn, seedLegacy, someAccount } from "./rows.ts";

/** How long a write may take to be carried past one that is stopped; nobody has to, in milliseconds. */
const PASSED_MS = 1_500;
/** One or two for each round. */
const ROWS = 120;
/** How far a's clock is ahead of b's, in milliseconds: further than anything here lasts. */
const AHEAD_MS = 3_600_000;

export default check({
  title: "modern takes over writes in their order, and none that was late to commit is passed over",
  points: 4,
  concept: "ordering",
  traps: ["unordered", "gap-skipped", "changed-since", "by-the-clock"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  hints: [
    "a writes a row, then b. Both carry it to modern. Who arrives last?",
    hintOnDifferences,
    'Numbers of a sequence, and times, are drawn before a commit: 8 may be there before 7 is. Who remembers "all up to 8 are carried" never sees 7. Keep what is pending, row by row.',
  ],
  async run(t) {
    const expected = await seedLegacy(t, ROWS);
    await t.skew("a", AHEAD_MS);
    const [a, b] = await startTwoNodes(t);
    await goTo(a, "legacy", "shadow");
    await expectBoth(t, a, expected, "both stores hold the same accounts");
    const ids = [...expected.keys()];
    const next = () => ids.pop() ?? "";

    const place = { node: "a", patienceMs: PASSED_MS };
    await atEachMessage(
      t,
      { ...place, store: "modern", afterwards: true },
      async (interleave, nth) => {
        const id = next();
        const isRemoved = nth % 2 === 0;
        const newer = someAccount(t, id);
        t.step(
          `a changes a row and is stopped on its way to modern; b ${isRemoved ? "removes" : "changes"} it`,
        );
        const [older, later] = await interleave(
          () => a.update(id, someAccount(t, id)),
          async () => {
            await (isRemoved ? b.remove(id) : b.update(id, newer));
            await passing(t, id, isRemoved ? undefined : newer);
          },
        );
        fulfilled(later);
        // Who goes to modern first is stopped before it is in legacy: there the removal came first then.
        if (older.status === "rejected" && !isRemoved) throw older.reason;
        const { account } = await b.get(id);
        t.equal(account === null, isRemoved, "b's write is what legacy says");
        if (account) expected.set(id, account);
        else expected.delete(id);
      },
    );
    await expectBoth(t, b, expected, "the newer write stays, though the older one arrived later");

    await atEachMessage(t, { ...place, store: "legacy" }, async (interleave) => {
      // What carries the last round's writes has messages, too.
      await untilSettled(t, a);
      const late = someAccount(t, next());
      const other = someAccount(t, next());
      t.step("a writes and is stopped before it commits; b writes another row, which is carried");
      const [first, second] = await interleave(
        () => a.update(late.id, late),
        async () => {
          await b.update(other.id, other);
          await passing(t, other.id, other);
        },
      );
      fulfilled(first);
      fulfilled(second);
      expected.set(late.id, late).set(other.id, other);
      await expectAccount(t, [a, b], late.id, late, "the late write is read");
    });
    await expectBoth(t, b, expected, "the late writes arrive, too");
  },
});

/** Until a write has arrived in modern, past the one that is stopped; or until it has had its chance. */
async function passing(
  t: MigrationContext,
  id: string,
  account: Account | undefined,
): Promise<void> {
  const end = performance.now() + PASSED_MS;
  while (performance.now() < end) {
    if ((await accountsIn(t, "modern")).get(id)?.email === account?.email) return;
    await wait(20);
  }
}
