import { check, copyAll, expectBoth, hintOnDifferences, startTwoNodes } from "./kit.ts";
import { seedLegacy, someAccount, someDate } from "./rows.ts";

export default check({
  title: "what was copied and what is written arrives in modern, in modern's form",
  points: 3,
  concept: "transformation",
  traps: ["deletes-forgotten", "copying-reads-modern"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["same-accounts"],
  hints: [
    "Three ways lead into modern: the copy, a write, and a removal. Do all three use the same translation?",
    hintOnDifferences,
    "Carry states, not changes: note the id in the transaction of the write; whoever carries it reads what legacy says now, which may be that there is none.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 120);
    const [a, b] = await startTwoNodes(t);
    t.step("the old application goes on writing until the migration begins");
    for (const [id, account] of await seedLegacy(t, 30)) expected.set(id, account);
    const some = t.random.shuffle([...expected.keys()]);
    t.step("clients write before the copy begins: in the phase legacy, and in copying");
    for (const [index, phase] of (["legacy", "copying"] as const).entries()) {
      if (phase === "copying") await a.setPhase(phase);
      const node = index === 0 ? b : a;
      const [changed = "", removed = "", again = ""] = some.splice(0, 3);
      const change = { email: `NEW.${t.random.word()}@Example.com`, closedOn: someDate(t) };
      await node.update(changed, change);
      expected.set(changed, {
        ...(expected.get(changed) ?? someAccount(t)),
        ...change,
        email: change.email.toLowerCase(),
      });
      await node.remove(removed);
      expected.delete(removed);
      await node.remove(again);
      const reborn = someAccount(t, again);
      await node.create(reborn);
      expected.set(again, reborn);
      const fresh = someAccount(t);
      await node.create({ ...fresh, email: ` ${fresh.email.toUpperCase()}` });
      expected.set(fresh.id, fresh);
    }
    t.step("the operator copies, on both nodes in turn");
    await copyAll([a, b], 50);
    await expectBoth(t, a, expected, "after the copy both stores hold the same accounts");
    const reads = await b.getMany([...expected.keys()]);
    const strays = reads.filter(({ servedFrom }) => servedFrom !== "legacy").length;
    t.equal(strays, 0, "in the phase copying, legacy answers");

    t.step("clients write what has been copied already");
    const [changed = "", removed = "", again = ""] = some.splice(0, 3);
    await b.update(changed, { email: `Again.${changed}@EXAMPLE.org` });
    expected.set(changed, {
      ...(expected.get(changed) ?? someAccount(t)),
      email: `again.${changed.toLowerCase()}@example.org`,
    });
    await a.remove(removed);
    expected.delete(removed);
    await a.remove(again);
    const reborn = someAccount(t, again);
    await b.create(reborn);
    expected.set(again, reborn);
    await expectBoth(t, b, expected, "what is written after the copy arrives, removals too");
  },
});
