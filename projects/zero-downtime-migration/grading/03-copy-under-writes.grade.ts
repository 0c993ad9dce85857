import { blackHole } from "@db-katas/engines/faults/blackHole";
import { atEachMessage, CUT_OFF, cutOff } from "./interleave.ts";
import {
  check,
  copyAll,
  expectBoth,
  hintOnDifferences,
  type MigrationContext,
  startNode,
  startTwoNodes,
} from "./kit.ts";
import { accountsIn, seedLegacy, someAccount } from "./rows.ts";

const ROWS = 200;
const LIMIT = 8;
/** Of the 25 that it takes: those that node a makes before it is cut off. */
const FIRST_STEPS = 15;
/** Rows of a step that fails; few, so that some are left. */
const LOST_LIMIT = 2;

export default check({
  title: "the copy skips no row while clients write, and goes on where a dead worker left it",
  points: 4,
  concept: "backfill",
  traps: ["by-the-guide", "offset-paged", "progress-in-memory", "progress-before-work"],
  engines: { legacy: CUT_OFF, modern: CUT_OFF },
  nodes: ["a", "b", "c"],
  dependsOn: ["same-accounts"],
  hints: [
    "Page three begins after the rows of pages one and two. What if one of those is removed before you ask for page three?",
    hintOnDifferences,
    "Go on after the last id that was copied (`WHERE id > $1 ORDER BY id`), and keep that id where the next worker finds it, after the rows have arrived or have been noted.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, ROWS);
    const [a, b] = await startTwoNodes(t);
    const alone = await t.inject("modern", blackHole, { nodes: ["c"] });
    const c = await startNode(t, "c");
    await a.setPhase("copying");
    await a.backfill(LIMIT);
    t.step("c copies, too, without reaching modern");
    const vain = Promise.allSettled([c.backfill(LIMIT)]);
    t.step("while a copies, clients remove rows that are copied, and create rows everywhere");
    const early = [...expected.keys()].sort().slice(0, LIMIT * FIRST_STEPS);
    for (let step = 1; step < FIRST_STEPS; step++) {
      await a.backfill(LIMIT);
      const gone = early.slice(step * LIMIT, step * LIMIT + 2);
      const fresh = someAccount(t);
      await Promise.all([b.create(fresh), ...gone.map((id) => b.remove(id))]);
      for (const id of gone) expected.delete(id);
      expected.set(fresh.id, fresh);
    }
    for (const store of ["legacy", "modern"] as const) {
      await atEachMessage(t, { store, node: "a", lost: true }, async (interleave) => {
        t.step(`a copies, and a request of ${store} is lost with its line`);
        const copy = () => a.backfill(LOST_LIMIT);
        const [step] = await interleave(copy, async () => {});
        await mayBeRepeated(t, step);
      });
    }
    const [said] = await vain;
    await mayBeRepeated(t, said);
    await alone.heal();
    const rest = Math.ceil((expected.size - (await accountsIn(t, "modern")).size) / LIMIT);
    // One to see that there is no more, and as many again for whoever is careful.
    const most = 2 * rest + 2;
    t.step("a is cut off in the middle of a step; b goes on");
    using gate = t.hold(t.random.pick(["legacy", "modern"]), { node: "a", match: /./, nth: 2 });
    const last = a.backfill(LIMIT).catch(() => {});
    await Promise.race([gate.held, last]);
    await cutOff(t, "a", gate);
    const steps = await copyAll([b], LIMIT);
    t.ok(steps <= most, "the next worker does not begin anew", {
      expected: `at most ${most} steps of ${LIMIT} rows for what a left`,
      received: `${steps} steps`,
    });
    await expectBoth(t, b, expected, "every row that was there, and none that was removed");

    t.step("two workers go through it again at the same time, and there is nothing left to copy");
    const ends = await Promise.all([b.backfill(LIMIT), c.backfill(LIMIT)]);
    t.equal(ends, [{ done: true }, { done: true }], "what is copied stays copied");
  },
});

/** A step that fails, says that it may be repeated. One that has nothing left to do need not reach modern. */
async function mayBeRepeated(
  t: MigrationContext,
  step: PromiseSettledResult<unknown>,
): Promise<void> {
  if (step.status === "fulfilled") return;
  const refused = Promise.reject(step.reason);
  await t.rejects(refused, "STORE_UNAVAILABLE", "a step that fails says that it may be repeated");
}
