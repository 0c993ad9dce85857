import { delay } from "@db-katas/engines/faults/delay";
import type { MigrationNode, Phase } from "../contract.ts";
import {
  ARRIVAL_MS,
  check,
  expectAccount,
  expectBoth,
  goTo,
  startNode,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount, sql } from "./rows.ts";

const KEYS = 1_000;
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
      const share = percent / 100;
      await goTo(percent === 25 ? b : a, from, phase);
      from = phase;
      for (const node of [a, b]) {
        t.equal((await node.status()).phase, phase, "every node knows the phase");
      }
      // A busy machine may keep modern from answering once: legacy is right to step in then.
      const { served: first = new Set<string>() } = await t.eventually(
        ARRIVAL_MS,
        () => ask([a, b, a], ids),
        ({ counts, moved }) =>
          moved === 0 && counts.every((count) => Math.abs(count - KEYS * share) <= bound(share)),
        `modern answers ${percent} % of the ids, the same ones on every node and each time`,
        `${KEYS * share} of ${KEYS}, give or take ${bound(share).toFixed(0)}; none that differ`,
      );
      const lost = [...before].filter((id) => !first.has(id)).length;
      t.equal(lost, 0, "an id that modern answered stays with it in the next step");
      const reads = await b.getMany(ids);
      for (const [at, read] of reads.entries()) {
        t.equal(read.account, expected.get(ids[at] ?? ""), "every answer is the account");
      }
      before = first;
    }
    t.step("back to 25 %, and a node that has just started");
    await b.setPhase("canary-25");
    const c = await startNode(t, "c");
    const { served } = await t.eventually(
      ARRIVAL_MS,
      () => ask([a, c, b], ids),
      ({ counts, moved }) =>
        moved === 0 && counts.every((count) => Math.abs(count - KEYS / 4) <= bound(0.25)),
      "one step back is a step back for all, and for one that has just started",
      `${KEYS / 4} of ${KEYS}, give or take ${bound(0.25).toFixed(0)}; none that differ`,
    );

    t.step("modern is slow; clients write and read at once, through a step of the canary");
    const written = t.random.shuffle([...served]).slice(0, 8);
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
    const single = await b.get(id);
    const [, listed] = await b.getMany([ids[0] ?? "", id]);
    for (const { account, servedFrom } of [single, listed ?? single]) {
      t.equal(
        account?.balanceCents,
        servedFrom === "modern" ? 4242 : expected.get(id)?.balanceCents,
        "an answer from modern is what stands in modern",
      );
    }
    await t.eventually(
      ARRIVAL_MS,
      () => b.get(id),
      ({ servedFrom }) => servedFrom === "modern",
      "an id of the canary is answered by modern when it is asked for alone, too",
      "servedFrom: modern",
    );
    t.step("back to shadow");
    await a.setPhase("shadow");
    const reads = await b.getMany(ids);
    const rest = reads.filter(({ servedFrom }) => servedFrom === "modern").length;
    t.equal(rest, 0, "after a step back no node asks modern any more");
    const twice = await b.getMany([id, id]);
    t.equal(twice.length, 2, "an answer for each id that was asked for");
  },
});

/** Asks several nodes for the same ids. */
async function ask(nodes: readonly MigrationNode[], ids: readonly string[]) {
  const answers = await Promise.all(nodes.map((node) => node.getMany(ids)));
  const each = answers.map(
    (reads) => new Set(ids.filter((_, at) => reads[at]?.servedFrom === "modern")),
  );
  const [served = new Set<string>()] = each;
  return {
    /** How many modern answered for, of each. */
    counts: each.map(({ size }) => size),
    /** How many ids were modern's with one of them and not with another. */
    moved: ids.filter((id) => each.some((other) => other.has(id) !== served.has(id))).length,
    served,
  };
}
