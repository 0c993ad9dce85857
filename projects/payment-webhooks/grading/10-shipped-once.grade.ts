import { atEachMessage, DEATH } from "./interleave.ts";
import {
  check,
  emptyRedis,
  expectFulfilments,
  recorded,
  startTwoNodes,
  untilRecorded,
} from "./kit.ts";
import { Purchase, retold } from "./provider.ts";

export default check({
  title:
    "each captured payment is offered to the warehouse until it is confirmed, and then never again",
  points: 3,
  concept: "outbox",
  traps: ["sent-when-read", "an-order-for-each-event", "outbox-in-redis"],
  engines: { postgres: DEATH, redis: DEATH },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "Somebody asks what is to be shipped, and dies before the warehouse knows. Who asks for the same again?",
    "An outbox: a row written with the credit, in its transaction; it stays open until `confirm`.",
    "Give it an id that follows from the payment, and let the database hold it unique: then a second one can't be.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes = [a, b];
    const purchases = Array.from({ length: 5 }, () => new Purchase(t));
    // An order may be paid in two payments: there is one fulfilment for each of them.
    const [one, same] = purchases.splice(0, 2);
    if (!one || !same) return;
    purchases.unshift(one, same.ofOrder(one.order));
    for (const purchase of purchases.toReversed()) {
      await recorded(t, t.random.pick(nodes), purchase.authorized());
    }
    for (const purchase of purchases) {
      const event = purchase.captured();
      await recorded(t, t.random.pick(nodes), event);
      await recorded(t, t.random.pick(nodes), retold(t, event));
      await recorded(t, t.random.pick(nodes), purchase.refunded(10n));
    }
    const waiting = new Purchase(t);
    await recorded(t, a, waiting.authorized());

    t.step("asked for on both nodes, by somebody who then dies");
    const stays = "what was captured is offered once, to whoever asks, until it is confirmed";
    const first = await expectFulfilments(t, a, purchases, stays);
    const inOrder = first.map(({ payment }) => payment);
    t.equal(
      inOrder,
      purchases.map(({ payment }) => payment),
      "the oldest comes first",
    );
    t.equal(new Set(first.map(({ id }) => id)).size, first.length, "each has an id of its own");
    t.equal(await b.fulfilments(1_000), first, stays);
    t.equal(await a.fulfilments(2), first.slice(0, 2), "no more than one asks for");
    t.equal(await a.fulfilments(1_000), first, stays);

    t.step("the first is confirmed, twice; the second on the other node");
    for (const node of nodes) await node.confirm(first[0]?.id ?? "");
    await b.confirm(first[1]?.id ?? "");
    await b.confirm("no such fulfilment");
    const never = "what was confirmed is not offered again";
    for (const node of nodes) t.equal(await node.fulfilments(1_000), first.slice(2), never);

    t.step("their captures are told once more");
    for (const purchase of purchases.slice(0, 3)) await recorded(t, a, purchase.captured());
    t.equal(await b.fulfilments(1_000), first.slice(2), never);
    await emptyRedis(t);
    for (const node of nodes) t.equal(await node.fulfilments(1_000), first.slice(2), stays);
    for (const { id } of first.slice(2)) await a.confirm(id);
    t.equal(await b.fulfilments(1_000), [], never);

    for (const direction of ["request", "reply"] as const) {
      await atEachMessage(t, { engine: "postgres", direction }, "dies", async (interleave) => {
        const purchase = new Purchase(t);
        await untilRecorded(t, b, purchase.captured());
        const [fulfilment] = await expectFulfilments(t, b, [purchase], stays);
        if (!fulfilment) return;
        t.step(`a dies at a ${direction} as it confirms; b confirms it in any case`);
        const [confirmed] = await interleave(
          () => a.confirm(fulfilment.id),
          async () => {},
        );
        if (confirmed?.status === "fulfilled") t.equal(await b.fulfilments(1_000), [], never);
        await b.confirm(fulfilment.id);
        t.equal(await b.fulfilments(1_000), [], never);
      });
    }
  },
});
