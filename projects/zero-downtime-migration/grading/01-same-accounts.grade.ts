import { atEachMessage, fulfilled } from "./interleave.ts";
import { check, expectAccount, expectStore, startTwoNodes } from "./kit.ts";
import { accountsIn, seedLegacy, someAccount, someDate } from "./rows.ts";

export default check({
  title:
    "before anything moves, clients see clean accounts, and legacy's readers see what clients wrote",
  points: 2,
  concept: "contract",
  traps: ["as-it-was-typed", "read-then-written", "answers-once"],
  engines: { legacy: {}, modern: {} },
  nodes: ["a", "b"],
  hints: [
    "contract.ts says how the old application writes e-mails, amounts and dates. One function from a row to an Account, one back.",
    "A `date` that pg parses is midnight somewhere: select it as text.",
  ],
  async run(t) {
    const accounts = await seedLegacy(t, 40);
    const [a, b] = await startTwoNodes(t);
    t.step("both nodes read what the old application wrote");
    const ids = [...accounts.keys()];
    for (const node of [a, b]) {
      const reads = await node.getMany(ids);
      t.equal(
        reads.map(({ account }) => account),
        [...accounts.values()],
        "getMany() answers in the order of the ids",
      );
      t.equal(
        new Set(reads.map(({ servedFrom }) => servedFrom)),
        new Set(["legacy"] as const),
        "in the phase legacy, legacy answers",
      );
    }
    await expectAccount(t, [a, b], "nobody", null, "an unknown id is no account");
    t.equal(await a.getMany([]), [], "no ids, no answers");
    const [first = "", second = ""] = ids;
    const repeated = await b.getMany([second, first, second, "nobody"]);
    t.equal(
      repeated.map(({ account }) => account?.id ?? null),
      [second, first, second, null],
      "getMany() has an answer for each id that was asked for",
    );

    t.step("a writes, b reads, and the other way round");
    const shouted = { ...someAccount(t), email: `  Ada.${t.random.word()}@EXAMPLE.org ` };
    await a.create(shouted);
    const created = { ...shouted, email: shouted.email.trim().toLowerCase() };
    await expectAccount(t, [b, a], created.id, created, "a new account is read as it is meant");
    const again = { ...created, balanceCents: created.balanceCents - 1 };
    await t.rejects(b.create(again), "ALREADY_EXISTS", "an id can't be created twice");
    await expectAccount(t, [a, b], created.id, created, "and what was refused is not written");
    const other = {
      ...someAccount(t),
      id:
        created.id.toUpperCase() === created.id
          ? created.id.toLowerCase()
          : created.id.toUpperCase(),
    };
    await b.create(other);
    await expectAccount(t, [a, b], created.id, created, "letters in other cases make another id");
    await a.remove(other.id);
    const [known = "", removed = ""] = t.random.shuffle(ids);
    const change = { balanceCents: t.random.int(-9_000, -1), closedOn: someDate(t) };
    await b.update(known, change);
    const changed = { ...(accounts.get(known) ?? created), ...change };
    await expectAccount(t, [a, b], known, changed, "update() replaces what is given");
    await b.update(known, { closedOn: null });
    await expectAccount(t, [a], known, { ...changed, closedOn: null }, "an account opens again");
    await a.remove(removed);
    await expectAccount(t, [b], removed, null, "what was removed is gone");
    await t.rejects(b.remove(removed), "NOT_FOUND", "it can't be removed twice");
    await t.rejects(a.update(removed, change), "NOT_FOUND", "nor changed");
    await b.create({ ...created, id: removed });
    await expectAccount(t, [a], removed, { ...created, id: removed }, "an id may be used again");

    const expected = new Map(accounts)
      .set(created.id, created)
      .set(known, { ...changed, closedOn: null })
      .set(removed, { ...created, id: removed });
    await atEachMessage(t, { store: "legacy", node: "a" }, async (interleave) => {
      t.step("a changes an e-mail and is stopped on its way; b changes the balance");
      const { email } = someAccount(t);
      const { balanceCents } = someAccount(t);
      const calls = await interleave(
        () => a.update(known, { email }),
        () => b.update(known, { balanceCents }),
      );
      for (const call of calls) fulfilled<unknown>(call);
      const both = { ...(expected.get(known) ?? created), email, balanceCents };
      expected.set(known, both);
      await expectAccount(t, [a, b], known, both, "neither change undoes the other");
      const account = someAccount(t);
      const twice = await interleave(
        () => a.create(account),
        () => b.create(account),
      );
      const made = twice.filter(({ status }) => status === "fulfilled").length;
      t.equal(made, 1, "of two who create one id, one does");
      expected.set(account.id, account);
    });

    t.step("the next deployment calls migrate again, while the nodes are at work");
    await Promise.all(
      (["legacy", "modern"] as const).map(async (name) =>
        t.migrate({ name, url: await t.lease(name).urlFor("migrate") }),
      ),
    );
    await expectStore(t, "legacy", expected, "legacy's other readers see the same");
    await expectAccount(t, [b], created.id, created, "the nodes go on as before");
    t.equal((await accountsIn(t, "modern")).size, 0, "in the phase legacy nothing goes to modern");
  },
});
