import { atEachMessage } from "./interleave.ts";
import {
  asideOf,
  check,
  deliver,
  expectPayment,
  recorded,
  startTwoNodes,
  statusOf,
  untilRecorded,
} from "./kit.ts";
import { Purchase, retold } from "./provider.ts";

export default check({
  title: "no more is refunded than was captured, and in no other currency",
  points: 3,
  concept: "invariants",
  traps: ["refunds-unbounded-in-a-race", "currencies-mixed"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "Two refunds of 60 on a payment of 100, on two nodes, at the same moment. Which of your lines finds out?",
    "What was read before is not what is there when one writes. Lock the payment's row first, or let the UPDATE itself say `WHERE refunded + $1 <= captured`.",
    "100 JPY are no 100 EUR. A refund that can't be applied is put aside, with 200: sending it again won't help.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes = [a, b];
    const expectAside = async (ids: readonly string[], what: string) => {
      for (const node of nodes) t.equal(await asideOf(t, node), ids.toSorted(), what);
    };

    t.step("one after the other: too much, exactly the rest, and one cent more");
    const plain = new Purchase(t, 10_000n);
    await recorded(t, a, plain.captured());
    await recorded(t, a, plain.refunded(6_000n));
    const tooMuch = plain.refunded(4_001n);
    for (const node of nodes) await recorded(t, node, tooMuch);
    for (const node of nodes) await recorded(t, node, retold(t, tooMuch));
    const partly = { state: "captured", captured: 10_000n, refunded: 6_000n } as const;
    await expectPayment(t, nodes, plain, partly, "a refund of more than is left isn't applied");
    await recorded(t, b, plain.refunded(4_000n));
    const wholly = { state: "refunded", captured: 10_000n, refunded: 10_000n } as const;
    await expectPayment(t, nodes, plain, wholly, "a refund of all that is left is");
    const oneCent = plain.refunded(1n);
    await recorded(t, a, oneCent);
    await expectPayment(t, nodes, plain, wholly, "and after it nothing is left");
    const aside = [tooMuch.id, oneCent.id];
    await expectAside(aside, "what can't be applied is put aside, once");

    t.step("in another currency, after the capture and before it");
    const foreign = new Purchase(t, 10_000n);
    const [late, early] = [foreign.refunded(100n), foreign.refunded(100n)].map((event) => ({
      ...event,
      currency: "JPY",
    }));
    if (!late || !early) return;
    for (const event of [early, foreign.captured(), late]) await recorded(t, b, event);
    const untouched = { state: "captured", captured: 10_000n, refunded: 0n } as const;
    await expectPayment(t, nodes, foreign, untouched, "a refund in another currency isn't applied");
    t.equal(await a.balance("JPY"), 0n, "and moves no balance");
    aside.push(late.id, early.id);
    await expectAside(aside, "it is put aside as well");

    t.step("three refunds come before the capture: two of 90, of which one fits, and one of 10");
    const waiting = new Purchase(t, 10_000n);
    for (const amount of [9_000n, 9_000n, 1_000n]) {
      const refund = waiting.refunded(amount);
      await recorded(t, t.random.pick(nodes), refund);
      await recorded(t, t.random.pick(nodes), retold(t, refund));
    }
    await recorded(t, a, waiting.captured());
    const fitting = { state: "refunded", captured: 10_000n, refunded: 10_000n } as const;
    await expectPayment(t, nodes, waiting, fitting, "one that doesn't fit holds up no other");
    t.equal((await b.quarantined()).length, aside.length + 1, "the one that doesn't is put aside");
    let total = 10_000n;
    let refused = aside.length + 1;

    await atEachMessage(t, { engine: "postgres" }, "goes on", async (interleave) => {
      const bought = new Purchase(t, 10_000n);
      await recorded(t, b, bought.captured());
      const [one, other] = [bought.refunded(6_000n), bought.refunded(6_000n)];
      t.step(
        "a is stopped on its way to PostgreSQL with a refund of 60 of 100, b is told of another",
      );
      const outcomes = await interleave(
        () => deliver(t, a, one),
        () => deliver(t, b, other),
      );
      for (const outcome of outcomes) if (outcome) statusOf(t, outcome);
      for (const event of [one, other]) await untilRecorded(t, b, event);
      const either = { state: "captured", captured: 10_000n, refunded: 6_000n } as const;
      await expectPayment(
        t,
        nodes,
        bought,
        either,
        "of two refunds that don't both fit, one counts",
      );
      total += 4_000n;
      refused += 1;
      t.equal((await a.quarantined()).length, refused, "and the other one is put aside");
    });
    t.equal(await b.balance("EUR"), total, "the balance knows nothing else");
  },
});
