import { delay } from "@db-katas/engines/faults/delay";
import { check, expectAccount, expectBoth, goTo, startTwoNodes, untilSettled } from "./kit.ts";
import { seedLegacy, someAccount, sql } from "./rows.ts";

/** Of 35 reads: some may be left out, where many come at once. */
const COMPARED = 10;

export default check({
  title: "shadow reads find rows that differ, and take nothing on its way for one",
  points: 3,
  concept: "shadow reads",
  traps: ["shadow-cries-wolf", "shadow-of-what-is-in-use"],
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
    const expected = await seedLegacy(t, 36);
    const [a, b] = await startTwoNodes(t);
    await goTo(a, "legacy", "shadow");
    await expectBoth(t, a, expected, "both stores hold the same accounts");
    const ids = t.random.shuffle([...expected.keys()]);

    t.step("modern is slow; clients write rows and read them at once");
    const slow = await t.inject("modern", delay, { ms: 60 });
    for (const id of ids.slice(0, 8)) {
      const changed = someAccount(t, id);
      await a.update(id, changed);
      expected.set(id, changed);
      await expectAccount(t, [a, b], id, changed, "legacy answers, with what was written last");
    }
    const gone = ids[8] ?? "";
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
        ({ compared }) => compared >= COMPARED,
        "reads in the phase shadow are compared",
        `status().shadow.compared from ${COMPARED} on`,
      );
      t.equal(
        (await node.status()).shadow.mismatches,
        [],
        "nothing differs, so nothing is reported",
      );
    }

    t.step("somebody changes, removes and adds rows in modern");
    const [mail = "", cents = "", lost = "", closed = ""] = ids.slice(20, 24);
    const extra = someAccount(t).id;
    const change = (text: string, id: string) => sql(t, "modern", text, [id]);
    await change("UPDATE accounts SET email = 'nobody@example.net' WHERE id = $1", mail);
    await change("UPDATE accounts SET balance_cents = balance_cents - 1 WHERE id = $1", cents);
    const otherDay =
      "UPDATE accounts SET closed_on = coalesce(closed_on + 1, '2026-01-31') WHERE id = $1";
    await change(otherDay, closed);
    await change("DELETE FROM accounts WHERE id = $1", lost);
    await change("INSERT INTO accounts VALUES ($1, 'nobody@example.net', 0)", extra);
    const wrong = t.random.shuffle([mail, cents, lost, closed, extra]);
    for (const id of wrong) {
      await t.eventually(
        8_000,
        async () => {
          const said = { account: expected.get(id) ?? null, servedFrom: "legacy" } as const;
          t.equal<unknown>(await b.get(id), said, "legacy answers in the phase shadow");
          return (await b.status()).shadow.mismatches;
        },
        (mismatches) => mismatches.includes(id),
        "a read of a row that differs is reported",
        `status().shadow.mismatches with ${id}`,
      );
    }
    const { mismatches } = (await b.status()).shadow;
    t.equal(mismatches, wrong, "those five are reported, the oldest first, and no others");
  },
});
