import { check, expectBoth, goTo, startTwoNodes } from "./kit.ts";
import { seedLegacy, someAccount, someDate, sql } from "./rows.ts";

export default check({
  title: "a comparison names the very rows that are wrong, and repairs them",
  points: 4,
  concept: "checksums",
  traps: ["count-only", "glued-together"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  hints: [
    "One row too many and one too few make the same count. One cent more here and one less there make the same sum.",
    "Compare row by row, on what rows mean. A digest over `email || cents` can't tell where one ends and the other begins: separate, and tell null from empty.",
    "Both stores hold what both lack: go through the ids of both sides.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 700);
    const glued = [11, 111].map((balanceCents) => ({
      ...someAccount(t),
      balanceCents,
      closedOn: null,
    }));
    const [a, b] = await startTwoNodes(t);
    for (const account of glued) {
      await a.create(account);
      expected.set(account.id, account);
    }
    await goTo(a, "legacy", "shadow");
    await expectBoth(t, a, expected, "both stores hold the same accounts");
    const clean = await b.verify({ repair: false });
    t.equal(
      { missing: clean.missing, surplus: clean.surplus, differing: clean.differing },
      { missing: [], surplus: [], differing: [] },
      "where nothing differs, nothing is found",
    );

    t.step("rows of modern are changed, removed, added and mixed up, behind everybody's back");
    const open = [...expected.values()].filter(({ closedOn }) => !closedOn).map(({ id }) => id);
    const [more = "", less = "", mail = "", closed = "", lost = "", ...rest] = t.random.shuffle(
      open.filter((id) => !glued.some((account) => account.id === id)),
    );
    const [one, two] = rest;
    const change = (set: string, id: string | undefined, ...values: unknown[]) =>
      sql(t, "modern", `UPDATE accounts SET ${set} WHERE id = $1`, [id, ...values]);
    await change("balance_cents = balance_cents + 1", more);
    await change("balance_cents = balance_cents - 1", less);
    await change("email = upper(email)", mail);
    await change("closed_on = $2", closed, someDate(t));
    // A digit moves from the e-mail's end to the amount's beginning, and from one amount to another.
    await change("email = email || '1', balance_cents = 1", glued[0]?.id);
    await change("email = $2", one, expected.get(two ?? "")?.email);
    await change("email = $2", two, expected.get(one ?? "")?.email);
    await sql(t, "modern", "DELETE FROM accounts WHERE id = $1", [lost]);
    const extra = someAccount(t);
    await sql(t, "modern", "INSERT INTO accounts (id, email, balance_cents) VALUES ($1, $2, $3)", [
      extra.id,
      extra.email,
      extra.balanceCents,
    ]);
    const found = await b.verify({ repair: false });
    const sorted = (list: readonly (string | undefined)[] | undefined) => [...(list ?? [])].sort();
    t.equal(
      {
        missing: sorted(found.missing),
        surplus: sorted(found.surplus),
        differing: sorted(found.differing),
      },
      {
        missing: [lost],
        surplus: [extra.id],
        differing: sorted([more, less, mail, closed, glued[0]?.id, one, two]),
      },
      "each wrong row is named, under what is wrong with it, and no other",
    );

    t.step("the operator has it repaired, on the other node");
    await a.verify({ repair: true });
    await expectBoth(t, a, expected, "what was repaired is what clients wrote");
    const after = await b.verify({ repair: false });
    t.equal(
      [...after.missing, ...after.surplus, ...after.differing],
      [],
      "after a repair nothing is found",
    );

    t.step("rows are written while they are compared");
    const busy = (async () => {
      for (const id of rest.slice(2, 26)) {
        const changed = someAccount(t, id);
        await a.update(id, changed);
        expected.set(id, changed);
      }
    })();
    busy.catch(() => {});
    const during = await b.verify({ repair: false });
    await busy;
    t.equal(
      [...during.missing, ...during.surplus, ...during.differing],
      [],
      "what is on its way is not wrong",
    );
    await expectBoth(t, b, expected, "and it arrives");
  },
});
