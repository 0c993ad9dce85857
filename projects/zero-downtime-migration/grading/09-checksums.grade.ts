import { delay } from "@db-katas/engines/faults/delay";
import type { Account, MigrationNode } from "../contract.ts";
import { check, expectBoth, goTo, type MigrationContext, startTwoNodes } from "./kit.ts";
import { accountsIn, differences, seedLegacy, someAccount, someDate, sql } from "./rows.ts";

export default check({
  title: "a comparison names the very rows that are wrong, and repairs them",
  points: 4,
  concept: "checksums",
  traps: ["count-only", "glued-together", "verify-cries-wolf", "nothing-beyond-the-last"],
  engines: { legacy: {}, modern: { faults: [delay] } },
  nodes: ["a", "b"],
  dependsOn: ["carried-over"],
  hints: [
    "One row too many and one too few make the same count. One cent more here and one less there make the same sum.",
    "Compare row by row, on what rows mean. A digest over `email || cents` can't tell where one ends and the other begins: separate, and tell null from empty.",
    "Both stores hold what both lack: go through the ids of both sides.",
  ],
  async run(t) {
    const expected = await seedLegacy(t, 1_200);
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

    t.ok(clean.compared >= expected.size, "all rows are compared", {
      expected: `at least ${expected.size}`,
      received: String(clean.compared),
    });

    t.step("rows of modern are changed, removed, added and mixed up, behind everybody's back");
    const open = [...expected.values()].filter(({ closedOn }) => !closedOn).map(({ id }) => id);
    const [more = "", less = "", mail = "", closed = "", ...others] = t.random.shuffle(
      open.filter((id) => !glued.some((account) => account.id === id)),
    );
    const [one, two] = others;
    // Before the first row, after the last one, and somewhere; and as many are gone.
    const extra = ["-", "z".repeat(40), someAccount(t).id];
    const lost = others.slice(2, 2 + extra.length);
    const rest = others.slice(2 + extra.length);
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
    await sql(t, "modern", "DELETE FROM accounts WHERE id = ANY($1)", [lost]);
    for (const id of extra) {
      const insert = "INSERT INTO accounts (id, email, balance_cents) VALUES ($1, $2, 0)";
      await sql(t, "modern", insert, [id, someAccount(t).email]);
    }
    const found = await b.verify({ repair: false });
    const sorted = (list: readonly (string | undefined)[] | undefined) => [...(list ?? [])].sort();
    t.equal(
      {
        missing: sorted(found.missing),
        surplus: sorted(found.surplus),
        differing: sorted(found.differing),
      },
      {
        missing: sorted(lost),
        surplus: sorted(extra),
        differing: sorted([more, less, mail, closed, glued[0]?.id, one, two]),
      },
      "each wrong row is named, under what is wrong with it, and no other",
    );

    const untouched = differences(await accountsIn(t, "modern"), expected).length;
    t.equal(untouched, 13, "nothing is repaired that nobody asked for");

    t.step("the operator has it repaired, on the other node");
    const repaired = await a.verify({ repair: true });
    t.equal(sorted(repaired.differing), sorted(found.differing), "a repair says what it found");
    const left = differences(await accountsIn(t, "modern"), expected);
    t.equal(left, [], "when verify() has resolved, the repair is done");
    await expectBoth(t, a, expected, "what was repaired is what clients wrote");
    const after = await b.verify({ repair: false });
    t.equal(
      [...after.missing, ...after.surplus, ...after.differing],
      [],
      "after a repair nothing is found",
    );

    t.step("modern is slow; rows are created, changed and removed while they are compared");
    const slow = await t.inject("modern", delay, { ms: 60 });
    await writeAll(t, a, rest.slice(0, 12), expected);
    const writing = writeAll(t, a, rest.slice(12, 42), expected);
    writing.catch(() => {});
    const during = await b.verify({ repair: false });
    await writing;
    await slow.heal();
    t.equal(
      [...during.missing, ...during.surplus, ...during.differing],
      [],
      "what is on its way is not wrong",
    );
    await expectBoth(t, b, expected, "and it arrives");
  },
});

/** Changes every other row, removes the rest, and creates as many. */
async function writeAll(
  t: MigrationContext,
  node: MigrationNode,
  ids: readonly string[],
  expected: Map<string, Account>,
): Promise<void> {
  for (const [index, id] of ids.entries()) {
    const isChanged = index % 2 === 0;
    const account = someAccount(t, isChanged ? id : undefined);
    if (!isChanged) {
      await node.remove(id);
      expected.delete(id);
    }
    await (isChanged ? node.update(id, account) : node.create(account));
    expected.set(account.id, account);
  }
}
