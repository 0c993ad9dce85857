import { delay } from "@db-katas/engines/faults/delay";
import { check, expectAccount, expectBoth, goTo, startTwoNodes, untilSettled } from "./kit.ts";
import { seedLegacy, someAccount, sql } from "./rows.ts";

export default check({
  title: "shadow reads find rows that differ, and take nothing on its way for one",
  points: 3,
  concept: "shadow reads",
  traps: ["shadow-cries-wolf"],
  engines: { legacy: {}, modern: { faults: [delay] } },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  hints: [
    "legacy answers, and modern is asked on the side. When may what modern says be older, without being wrong?",
    "A row is worth comparing when nothing of it is pending, and its write is the same in both: a version tells.",
    async (t) => {
      const { rows } = await sql(
        t,
        "modern",
        "SELECT id FROM accounts WHERE email = 'nobody@example.net'",
      );
      return (
        rows[0] &&
        `modern's row ${rows[0].id} has an e-mail that no client wrote, and no read of it was reported.`
      );
    },
  ],
  async run(t) {
    const expected = await seedLegacy(t, 50);
    const [a, b] = await startTwoNodes(t);
    await goTo(a, "legacy", "shadow");
    await expectBoth(t, a, expected, "both stores hold the same accounts");
    const ids = t.random.shuffle([...expected.keys()]);

    t.step("modern is slow; clients write rows and read them at once");
    const slow = await t.inject("modern", delay, { ms: 60 });
    for (const id of ids.slice(0, 12)) {
      const changed = someAccount(t, id);
      await a.update(id, changed);
      expected.set(id, changed);
      await expectAccount(t, [a, b], id, changed, "legacy answers, with what was written last");
    }
    const gone = ids[12] ?? "";
    await b.remove(gone);
    expected.delete(gone);
    await expectAccount(t, [a, b], gone, null, "what was removed is gone");
    await slow.heal();
    await untilSettled(t, a);
    t.step("all rows are read once more, on both nodes");
    for (const node of [a, b]) {
      await t.eventually(
        8_000,
        async () => {
          for (const id of expected.keys()) await node.get(id);
          return (await node.status()).shadow;
        },
        ({ compared }) => compared > 0,
        "reads in the phase shadow are compared",
        "status().shadow.compared above 0",
      );
      t.equal(
        (await node.status()).shadow.mismatches,
        [],
        "nothing differs, so nothing is reported",
      );
    }

    t.step("somebody changes one row in modern, and removes another one");
    const [altered = "", lost = ""] = ids.slice(20, 22);
    await sql(t, "modern", "UPDATE accounts SET email = 'nobody@example.net' WHERE id = $1", [
      altered,
    ]);
    await sql(t, "modern", "DELETE FROM accounts WHERE id = $1", [lost]);
    for (const id of [altered, lost]) {
      await t.eventually(
        8_000,
        async () => {
          const { account, servedFrom } = await b.get(id);
          t.equal(
            { account, servedFrom },
            { account: expected.get(id) ?? null, servedFrom: "legacy" },
            "legacy answers in the phase shadow",
          );
          return (await b.status()).shadow.mismatches;
        },
        (mismatches) => mismatches.includes(id),
        "a read of a row that differs is reported",
        `status().shadow.mismatches with ${id}`,
      );
    }
    t.equal(
      [...(await b.status()).shadow.mismatches].sort(),
      [altered, lost].sort(),
      "those two are reported, and no others",
    );
  },
});
