import { SubmissionError } from "@db-katas/grading";
import type { Change, Edit, Replica } from "../contract.ts";
import { check, type LedgerContext, meet, startReplica, startReplicas, TREASURER } from "./kit.ts";

const ISSUED = 1_000;
const ACCOUNTS = ["cash", "rent", "food"];
/** For each of three, without any connection between them. */
const TRANSFERS = 15;

export default check({
  title:
    "money is spent without a connection, as far as one's rights go: never twice, never below 0",
  points: 4,
  concept: "escrow",
  traps: [
    "plain-counter",
    "rights-vanish",
    "spends-unseen",
    "rights-of-now",
    "pays-itself",
    "nothing-is-gone",
  ],
  engines: {},
  nodes: [TREASURER, "ada", "bob", "cleo", "mint", "ada-there"],
  dependsOn: ["alone"],
  hints: [
    "A balance of 100 on both sides of a cut: each may spend 100 of it. What is it afterwards?",
    "The right to spend is divided among people (escrow). A transfer takes it from whoever pays, and gives as much for the other account.",
    "A balance is the sum of everybody's rights to it. If nobody's is below 0, it can't be, in whatever order changes come.",
  ],
  async run(t) {
    const names = [TREASURER, "ada", "bob", "cleo"];
    const replicas = await startReplicas(t, names);
    const [treasury, ada, bob, cleo] = replicas as [Replica, Replica, Replica, Replica];
    const document = t.random.word();
    const lent = t.random.int(100, 300);
    await treasury.edit(document, [
      { kind: "issue", account: "cash", amount: ISSUED },
      { kind: "lend", account: "cash", to: "ada", amount: lent },
      { kind: "lend", account: "cash", to: "bob", amount: lent },
    ]);
    const { balances } = await meet(t, document, replicas);
    t.equal(balances, { cash: ISSUED }, "the balance stays when the right to spend it is lent");
    const rights = await Promise.all(replicas.map((one) => one.escrow(document, "cash")));
    t.equal(rights, [ISSUED - 2 * lent, lent, lent, 0], "each may spend what was lent, or is left");

    t.step("the treasury pays an account from itself, lends to itself, and empties an account");
    const own = t.random.word();
    // An account may be named like anything that JavaScript's objects have.
    const odd = "constructor";
    await treasury.edit(own, [{ kind: "issue", account: odd, amount: 100 }]);
    for (const edit of [
      { kind: "transfer", from: odd, to: odd, amount: 60 },
      { kind: "lend", account: odd, to: TREASURER, amount: 70 },
    ] as const) {
      // There is nothing to be done: who says so is right as well.
      await treasury.edit(own, [edit]).catch((error: unknown) => {
        if (!(error instanceof SubmissionError)) throw error;
        t.equal(error.code, "INVALID_EDIT", "an edit that can't be done is refused as such");
      });
    }
    const same = "who pays or lends to themselves has what they had";
    t.equal((await treasury.view(own)).balances, { [odd]: 100 }, same);
    t.equal(await treasury.escrow(own, odd), 100, same);
    await treasury.edit(own, [{ kind: "transfer", from: odd, to: "rent", amount: 100 }]);
    const emptied = await meet(t, own, replicas);
    t.equal(
      emptied.balances,
      { [odd]: 0, rent: 100 },
      "an account stays when nothing is left on it",
    );

    t.step("ada and bob spend all that they have a right to, neither seeing the other");
    const spend: Edit = { kind: "transfer", from: "cash", to: "rent", amount: lent };
    for (const one of [ada, bob]) {
      await one.edit(document, [spend]);
      const more = one.edit(document, [{ ...spend, amount: 1 }]);
      await t.rejects(more, "INSUFFICIENT_ESCROW", "nobody spends more than the right to it");
      t.equal(await one.escrow(document, "rent"), lent, "what one pays in, one may pay out again");
    }
    t.equal(await cleo.escrow(document, "cash"), 0, "and who has no right has none");
    const sum = { cash: ISSUED - 2 * lent, rent: 2 * lent };
    t.equal((await meet(t, document, replicas)).balances, sum, "both are paid, once each");

    t.step("cleo gets a right that only bob knows of; its use comes before it does");
    const lends = await bob.edit(document, [
      { kind: "lend", account: "rent", to: "cleo", amount: lent },
    ]);
    await cleo.receive(document, [lends]);
    const uses = await cleo.edit(document, [
      { kind: "transfer", from: "rent", to: "food", amount: lent },
    ]);
    await ada.receive(document, [uses]);
    t.equal((await ada.view(document)).balances, sum, "a transfer waits for what it had seen");
    await ada.receive(document, [lends, uses]);
    await ada.receive(document, [uses, lends]);
    const paid = { cash: ISSUED - 2 * lent, food: lent, rent: lent };
    t.equal((await ada.view(document)).balances, paid, "however often it comes, it is paid once");
    await meet(t, document, replicas);

    t.step(
      `${TRANSFERS} transfers and loans each, unseen by others, delivered late and in any order`,
    );
    const changes: Change[] = [];
    for (let i = 0; i < TRANSFERS; i++) {
      for (const [who, replica] of replicas.entries()) {
        const change = await attempted(t, replica, document, drawnEdit(t, names, who));
        if (change) changes.push(change);
        if (t.random.int(1, 4) > 1) continue;
        const some = t.random.shuffle(changes).slice(0, 5);
        const [receiver, other] = t.random.shuffle(replicas) as [Replica, Replica];
        if (t.random.int(1, 3) > 1) await receiver.receive(document, some);
        else await receiver.load(document, await other.save(document));
        await expectMoney(t, receiver, document);
      }
    }
    for (const replica of replicas) await replica.receive(document, t.random.shuffle(changes));
    const { balances: last } = await meet(t, document, replicas);
    await expectMoney(t, ada, document);
    for (const account of ACCOUNTS) {
      const each = await Promise.all(replicas.map((one) => one.escrow(document, account)));
      const total = each.reduce((all, one) => all + one, 0);
      t.equal(total, last[account] ?? 0, "all rights to an account are its balance");
    }
    await spendsUnlent(t, { treasury, bob, cleo });
  },
});

/**
 * Ada spends what was lent to her in a world of its own, by a treasury that nobody else has heard of. Whoever
 * tells by numbers what she had seen finds that she had no right to it, and refuses; whoever tells by contents
 * waits for ever. Money that she is lent here and later on is none that she had seen.
 */
async function spendsUnlent(
  t: LedgerContext,
  { treasury, bob, cleo }: Record<"treasury" | "bob" | "cleo", Replica>,
): Promise<void> {
  t.step("ada spends what nobody here has lent her");
  const document = t.random.word();
  const [mint, there] = await Promise.all([
    startReplica(t, TREASURER, { name: "mint" }),
    startReplica(t, "ada", { name: "ada-there" }),
  ]);
  const amount = t.random.int(50, 90);
  const lend: Edit = { kind: "lend", account: "cash", to: "ada", amount };
  const elsewhere = await mint.edit(document, [
    { kind: "issue", account: "cash", amount: 100 },
    lend,
  ]);
  await there.receive(document, [elsewhere]);
  const spent = await there.edit(document, [
    { kind: "transfer", from: "cash", to: "rent", amount },
  ]);
  const issued = await treasury.edit(document, [
    { kind: "issue", account: "cash", amount: 60 },
    { kind: "issue", account: "cash", amount: 40 },
  ]);
  const lent = await treasury.edit(document, [lend]);
  for (const [one, ways] of [
    [bob, [[issued], [spent], [lent]]],
    [cleo, [[issued], [lent], [spent]]],
  ] as const) {
    for (const changes of ways) await perhapsTaken(t, one.receive(document, changes), changes);
    const { balances } = await one.view(document);
    t.equal(balances, { cash: 100 }, "nothing is spent without a right that its actor had seen");
    t.equal(await one.version(document), { [TREASURER]: 2 }, "nor is it counted");
  }
}

/** A change of ada's may be refused, or wait. */
async function perhapsTaken(
  t: LedgerContext,
  received: Promise<void>,
  [change]: readonly Change[],
): Promise<void> {
  try {
    await received;
  } catch (error) {
    if (!(error instanceof SubmissionError)) throw error;
    const { code } = error;
    t.equal([change?.actor, code], ["ada", "INVALID_CHANGE"], "only what is unsound is refused");
  }
}

function drawnEdit(t: LedgerContext, names: readonly string[], who: number): Edit {
  const amount = t.random.int(1, 120);
  const [from, to] = t.random.shuffle(ACCOUNTS) as [string, string];
  if (t.random.int(1, 3) > 1) return { kind: "transfer", from, to, amount };
  const others = names.filter((_, i) => i !== who);
  return { kind: "lend", account: from, to: t.random.pick(others), amount };
}

async function attempted(
  t: LedgerContext,
  replica: Replica,
  document: string,
  edit: Edit,
): Promise<Change | undefined> {
  const account = edit.kind === "transfer" ? edit.from : (edit as { account: string }).account;
  const { amount } = edit as { amount: number };
  const enough = (await replica.escrow(document, account)) >= amount;
  try {
    const change = await replica.edit(document, [edit]);
    t.ok(enough, "what is spent was there to be spent", {
      expected: `at least ${amount} to be spent of ${account}`,
      received: "less",
    });
    return change;
  } catch (error) {
    if (!(error instanceof SubmissionError)) throw error;
    t.equal(error.code, "INSUFFICIENT_ESCROW", "a refusal says why");
    t.ok(!enough, "what is there to be spent can be spent", {
      expected: `${amount} of ${account} are spent`,
      received: "refused",
    });
  }
}

async function expectMoney(t: LedgerContext, replica: Replica, document: string): Promise<void> {
  const balances = Object.entries((await replica.view(document)).balances);
  const below = balances.filter(([, balance]) => balance < 0);
  t.equal(below, [], "no balance is ever below 0");
  const sum = balances.reduce((all, [, balance]) => all + balance, 0);
  t.equal(sum, ISSUED, "the sum of all balances is what was issued");
}
