import { blackHole } from "@db-katas/engines/faults/blackHole";
import { atEachMessage, CUT_OFF, cutOff } from "./interleave.ts";
import {
  ARRIVAL_MS,
  check,
  expectAccount,
  expectBoth,
  goTo,
  hintOnDifferences,
  startNode,
  startTwoNodes,
  untilSettled,
} from "./kit.ts";
import { seedLegacy, someAccount } from "./rows.ts";

/** What nodes are told a call may take: whoever is cut off must not hold a lock for longer, either. */
const BUDGET_MS = 2_000;
/** Messages to modern of somebody who cuts over, at each of which he is cut off once. */
const MOST_MESSAGES = 6;
/** At this one its line falls silent, and what it has locked stays so until the store gives up on it. */
const SILENT = 2;

export default check({
  title: "a node that dies in a write or in the cut-over leaves nothing half done",
  points: 4,
  concept: "cut-over",
  traps: ["noted-after-the-write", "nobody-finishes", "retries-whatever-happened"],
  engines: { legacy: CUT_OFF, modern: CUT_OFF },
  nodes: ["a", "b", "c"],
  dependsOn: ["carried-over"],
  timeoutMs: 60_000,
  hints: [
    "Cut the line between any two messages of a write. What is in legacy then, and who knows that modern has to get it?",
    hintOnDifferences,
    "At the cut-over one store is closed first. Whoever finds none open must be able to tell which one is to be opened: a number that grows with each turn tells.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 160);
    const ids = [...expected.keys()];
    const next = () => ids.pop() ?? "";
    const [a, b] = await startTwoNodes(t, BUDGET_MS);
    await goTo(a, "legacy", "canary-50");
    await expectBoth(t, a, expected, "both stores hold the same accounts");

    const kinds = ["update", "remove", "create"] as const;
    const places = [
      { store: "legacy", direction: "request", kind: undefined },
      { store: "modern", direction: "request", kind: undefined },
      { store: "legacy", direction: "reply", kind: "create" },
      { store: "legacy", direction: "reply", kind: "remove" },
    ] as const;
    for (const { store, direction, ...only } of places) {
      const afterwards = store === "modern";
      const place = { store, direction, node: "a", lost: true, afterwards };
      // So that nobody else carries what a is about to.
      const hole = afterwards && (await t.inject("modern", blackHole, { nodes: ["b"] }));
      await atEachMessage(t, place, async (interleave, nth) => {
        const id = next();
        const changed = someAccount(t, id);
        const fresh = someAccount(t);
        const kind = only.kind ?? kinds[nth % 3];
        t.step(`a writes, and a ${direction} of ${store} is lost with its line`);
        const [write] = await interleave(
          () =>
            kind === "create"
              ? a.create(fresh)
              : kind === "remove"
                ? a.remove(id)
                : a.update(id, changed),
          async () => {},
        );
        if (write.status === "rejected") {
          const refused = Promise.reject(write.reason);
          await t.rejects(
            refused,
            "STORE_UNAVAILABLE",
            "what is not known is not said to be certain",
          );
        }
        const written = kind === "create" ? fresh : changed;
        const { account } = await b.get(written.id);
        if (write.status === "fulfilled") {
          const wanted = kind === "remove" ? null : written;
          t.equal(account, wanted, "what was acknowledged is read");
        }
        if (account) expected.set(written.id, account);
        else expected.delete(written.id);
        if (hole) await untilSettled(t, a);
      });
      if (hole) await hole.heal();
      await expectBoth(t, b, expected, "what legacy has, modern gets, whoever died on the way");
    }

    t.step("a writes without modern, and is gone before modern is back for it");
    {
      await using _modern = await t.inject("modern", blackHole, { nodes: ["a"] });
      const changed = someAccount(t, next());
      await a.update(changed.id, changed);
      expected.set(changed.id, changed);
      await using _legacy = await t.inject("legacy", blackHole, { nodes: ["a"] });
      await expectBoth(t, b, expected, "another node carries it over");
    }

    await goTo(b, "canary-50", "canary-100");
    // In turns: who is cut off takes its time to give up, and may go on with it if it hasn't.
    const victims = [
      { name: "a", node: a, back: Promise.resolve() },
      { name: "c", node: await startNode(t, "c", BUDGET_MS), back: Promise.resolve() },
    ];
    for (let nth = 1, reached = true; reached && nth <= MOST_MESSAGES; nth++) {
      const [victim] = victims.reverse();
      if (!victim) break;
      await victim.back;
      await untilSettled(t, b);
      const { name } = victim;
      t.step(`${name} cuts over, and is cut off at its message ${nth} to modern`);
      const gate = t.hold("modern", { node: name, match: /./, nth });
      const over = Promise.allSettled([victim.node.setPhase("modern")]);
      reached = await Promise.race([gate.held.then(() => true), over.then(() => false)]);
      const heal = await cutOff(t, name, gate, { silently: nth === SILENT });
      victim.back = over.then(heal);
      const id = next();
      const changed = someAccount(t, id);
      await t.eventually(
        ARRIVAL_MS,
        () => b.update(id, changed),
        () => true,
        "clients of another node go on soon",
        "update() resolves",
      );
      expected.set(id, changed);
      await t.eventually(
        ARRIVAL_MS,
        () => b.setPhase("modern"),
        () => true,
        "another node takes it up",
        "setPhase() resolves",
      );
      await expectAccount(t, [b], id, changed, "what was acknowledged is read");
      await t.eventually(
        ARRIVAL_MS,
        () => b.setPhase("canary-100"),
        () => true,
        "and back",
        "setPhase() resolves",
      );
    }
    for (const { back } of victims) await back;
    await expectBoth(t, b, expected, "both stores hold all that was acknowledged");
  },
});
