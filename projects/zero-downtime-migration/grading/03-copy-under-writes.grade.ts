import { blackHole } from "@db-katas/engines/faults/blackHole";
import { check, copyAll, expectBoth, hintOnDifferences, startNode, startTwoNodes } from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

const ROWS = 240;
const LIMIT = 8;
/** Of the 30 that it takes: those that node a makes before it is cut off. */
const FIRST_STEPS = 20;
/** For the rest it takes 10, one to see that there is no more, and as many again for whoever is careful. */
const MOST_STEPS = 22;

export default check({
  title: "the copy skips no row while clients write, and goes on where a dead worker left it",
  points: 4,
  concept: "backfill",
  traps: ["by-the-guide", "offset-paged", "progress-in-memory"],
  engines: { legacy: { faults: [blackHole] }, modern: { faults: [blackHole] } },
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
    await a.setPhase("copying");
    t.step("while a copies, clients remove rows that are copied, and create rows everywhere");
    const early = [...expected.keys()].sort().slice(0, LIMIT * FIRST_STEPS);
    for (let step = 0; step < FIRST_STEPS; step++) {
      await a.backfill(LIMIT);
      const gone = early.slice(step * LIMIT, step * LIMIT + 2);
      for (const id of gone) {
        await b.remove(id);
        expected.delete(id);
      }
      const fresh = someAccount(t);
      await b.create(fresh);
      expected.set(fresh.id, fresh);
    }
    t.step("a is cut off in the middle of a step; b goes on");
    using gate = t.hold(t.random.pick(["legacy", "modern"]), { node: "a", match: /./, nth: 2 });
    const last = a.backfill(LIMIT).catch(() => {});
    await Promise.race([gate.held, last]);
    await using _off = await t.inject("legacy", blackHole, { nodes: ["a"] });
    await using _too = await t.inject("modern", blackHole, { nodes: ["a"] });
    gate.drop();
    const steps = await copyAll([b], LIMIT);
    t.ok(steps <= MOST_STEPS, "the next worker does not begin anew", {
      expected: `at most ${MOST_STEPS} steps of ${LIMIT} rows for what a left`,
      received: `${steps} steps`,
    });
    await expectBoth(t, b, expected, "every row that was there, and none that was removed");

    t.step("two workers go through it again at the same time, and there is nothing left to copy");
    const c = await startNode(t, "c");
    const ends = await Promise.all([b.backfill(LIMIT), c.backfill(LIMIT)]);
    t.equal(ends, [{ done: true }, { done: true }], "what is copied stays copied");
  },
});
