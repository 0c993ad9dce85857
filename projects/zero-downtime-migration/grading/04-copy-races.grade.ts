import { setTimeout as wait } from "node:timers/promises";
import type { MigrationNode } from "../contract.ts";
import { atEachMessage, fulfilled } from "./interleave.ts";
import {
  check,
  copyAll,
  expectBoth,
  hintOnDifferences,
  type MigrationContext,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { accountsIn, seedLegacy, someAccount, sql } from "./rows.ts";

const LIMIT = 4;
/** How long a write may take to arrive in modern before the copy that is stopped, in milliseconds. */
const PASSED_MS = 1_000;

export default check({
  title: "whoever writes a row while it is copied wins, and what was removed stays removed",
  points: 4,
  concept: "backfill",
  traps: ["copy-overwrites", "copy-resurrects", "copies-from-the-top", "repair-overwrites"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  hints: [
    "Between reading a row from legacy and writing it to modern, a client may have done anything to it.",
    hintOnDifferences,
    "`ON CONFLICT DO NOTHING` finds no conflict where the row was removed a moment ago: the removal has to leave something behind that the late copy loses against, such as a version.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, LIMIT * 20);
    const [a, b] = await startTwoNodes(t);
    await a.setPhase("copying");
    const inOrder = await orderOfCopy(t, a, expected);
    for (const store of ["modern", "legacy"] as const) {
      const place = { store, node: "a", patienceMs: PASSED_MS, afterwards: store === "modern" };
      await atEachMessage(t, place, async (interleave) => {
        const rows = await nextRows(t, inOrder, expected);
        t.step(`a copies ${rows.length} rows and is stopped on its way; b writes them meanwhile`);
        const [copy, writes] = await interleave(
          () => a.backfill(LIMIT),
          () => writeAll(t, b, rows, expected),
        );
        fulfilled(copy);
        fulfilled(writes);
        await untilSettled(t, b);
      });
    }
    await copyAll([a, b], LIMIT);
    await expectBoth(t, a, expected, "the outcome of every race is what clients wrote");

    const ids = [...expected.keys()];
    const place = { store: "modern", node: "a", patienceMs: PASSED_MS, afterwards: true } as const;
    await atEachMessage(t, place, async (interleave) => {
      const rows = ids.splice(0, 3);
      t.step("a repairs rows of modern and is stopped on its way; b writes them meanwhile");
      await sql(t, "modern", "DELETE FROM accounts WHERE id = ANY($1)", [rows]);
      const [repair, writes] = await interleave(
        () => a.verify({ repair: true }),
        () => writeAll(t, b, rows, expected),
      );
      fulfilled(repair);
      fulfilled(writes);
      // At once: the next repair would hide what this one did.
      await expectBoth(t, a, expected, "a repair, too, leaves what clients wrote");
    });
  },
});

/**
 * In which order this copy takes its rows, by what its first step brought: that of the ids, either way, or
 * that in which they were made. A copy in any other order is met only now and then.
 */
async function orderOfCopy(
  t: MigrationContext,
  node: MigrationNode,
  seeded: ReadonlyMap<string, unknown>,
): Promise<readonly string[]> {
  await node.backfill(LIMIT);
  await untilSettled(t, node);
  const copied = await accountsIn(t, "modern");
  const asMade = [...seeded.keys()];
  const upwards = asMade.toSorted();
  const orders = [upwards, upwards.toReversed(), asMade];
  return orders.find((ids) => ids.slice(0, LIMIT).every((id) => copied.has(id))) ?? upwards;
}

/** Those that the copy takes next. */
async function nextRows(
  t: MigrationContext,
  inOrder: readonly string[],
  expected: ReadonlyMap<string, unknown>,
) {
  const copied = await accountsIn(t, "modern");
  return inOrder.filter((id) => !copied.has(id) && expected.has(id)).slice(0, LIMIT);
}

/** Changes one, removes one, removes one and creates it anew; leaves the rest alone. */
async function writeAll(
  t: MigrationContext,
  node: MigrationNode,
  [changed, removed, reborn]: readonly string[],
  expected: Map<string, ReturnType<typeof someAccount>>,
): Promise<void> {
  const writes: Promise<void>[] = [];
  if (removed) {
    writes.push(node.remove(removed));
    expected.delete(removed);
  }
  if (changed) {
    const account = someAccount(t, changed);
    writes.push(node.update(changed, account));
    expected.set(changed, account);
  }
  if (reborn) {
    const account = someAccount(t, reborn);
    writes.push(node.remove(reborn).then(() => node.create(account)));
    expected.set(reborn, account);
  }
  await Promise.all(writes);
  // What is late must be late: the copy goes on when these have arrived, or have had their chance.
  const end = performance.now() + PASSED_MS;
  while (changed && performance.now() < end) {
    const [modern, legacy] = [await accountsIn(t, "modern"), await accountsIn(t, "legacy")];
    if (modern.get(changed)?.email === legacy.get(changed)?.email && !modern.has(removed ?? ""))
      return;
    await wait(20);
  }
}
