import { delay } from "@db-katas/engines/faults/delay";
import type { Phase } from "../contract.ts";
import {
  check,
  expectAccount,
  expectBoth,
  goTo,
  startNode,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount, sql } from "./rows.ts";

const KEYS = 2_000;
/** Five standard deviations of a fair draw of {@link KEYS}. */
const bound = (share: number) => 5 * Math.sqrt(KEYS * share * (1 - share));

export default check({
  title: "the canary answers the same ids on every node, and never with what is out of date",
  points: 4,
  concept: "canary",
  traps: ["draws-each-time", "seed-of-its-own", "canary-goes-back-in-time", "phase-remembered"],
  engines: { legacy: {}, modern: { faults: [delay] } },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  hints: [
    "Two nodes must agree on who is in the 5 %, without asking each other, and after a restart as well. And who is in 5 % is in 25 %.",
    "A hash of the id, the same for ever, gives each id a place between 0 and 100. `Math.random()` and hashes with a seed of the process don't.",
    "modern may lack the write that a client just made. legacy knows what is pending: ask it, and answer from there as long as the row is on its way.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, KEYS);
    const ids = [...expected.keys()];
    const [a, b] = await startTwoNodes(t);
    await goTo(a, "legacy", "shadow");
    await untilSettled(t, a);
    let before = new Set<string>();
    let from: Phase = "shadow";
    for (const percent of [5, 25, 50, 100] as const) {
      const phase: Phase = `canary-${percent}`;
      t.step(`${percent} % of the reads`);
      await goTo(percent === 25 ? b : a, from, phase);
      from = phase;
      const answers = await Promise.all([a, b, a].map((node) => node.getMany(ids)));
      const served = answers.map(
        (reads) => new Set(ids.filter((_, at) => reads[at]?.servedFrom === "modern")),
      );
      const [first = new Set<string>(), ...others] = served;
      const share = percent / 100;
      t.ok(
        Math.abs(first.size - KEYS * share) <= bound(share),
        `modern answers ${percent} % of ${KEYS} ids`,
        {
          expected: `${KEYS * share}, give or take ${bound(share).toFixed(0)}`,
          received: String(first.size),
        },
      );
      for (const other of others) {
        const moved = ids.filter((id) => first.has(id) !== other.has(id)).length;
        t.equal(moved, 0, "another node, and the same one asked again, choose the same ids");
      }
      const lost = [...before].filter((id) => !first.has(id)).length;
      t.equal(lost, 0, "an id that modern answered stays with it in the next step");
      t.equal(
        answers[0]?.every(
          ({ account }, at) =>
            JSON.stringify(account) === JSON.stringify(expected.get(ids[at] ?? "")),
        ),
        true,
        "every answer is the account",
      );
      before = first;
    }
    t.step("back to 25 %, and a node that has just started");
    await b.setPhase("canary-25");
    const c = await startNode(t, "c");
    const [mine, theirs] = await Promise.all([a, c].map((node) => node.getMany(ids)));
    t.equal(theirs, mine, "a node that has just started chooses the same ids");
    const served = ids.filter((_, at) => mine?.[at]?.servedFrom === "modern");
    t.ok(
      Math.abs(served.length - KEYS / 4) <= bound(0.25),
      "one step back is a step back for all",
      {
        expected: `${KEYS / 4}, give or take ${bound(0.25).toFixed(0)}`,
        received: String(served.length),
      },
    );

    t.step("modern is slow; clients write and read at once, through a step of the canary");
    const written = t.random.shuffle(served).slice(0, 8);
    const slow = await t.inject("modern", delay, { ms: 100 });
    for (const [index, id] of written.entries()) {
      if (index === 4) await a.setPhase("canary-50");
      const changed = someAccount(t, id);
      await a.update(id, changed);
      expected.set(id, changed);
      await expectAccount(t, [b, a], id, changed, "what was written is read, in the canary, too");
    }
    await slow.heal();
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    t.step("somebody repairs a row in modern by hand");
    const id = written[0] ?? "";
    await sql(t, "modern", "UPDATE accounts SET balance_cents = 4242 WHERE id = $1", [id]);
    const { account, servedFrom } = await b.get(id);
    t.equal(
      account?.balanceCents,
      servedFrom === "modern" ? 4242 : expected.get(id)?.balanceCents,
      "an answer from modern is what stands in modern",
    );
  },
});
