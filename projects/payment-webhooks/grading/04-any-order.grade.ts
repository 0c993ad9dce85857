import type { WebhookEvent } from "../contract.ts";
import { atEachMessage, atEachTable, type Interleave } from "./interleave.ts";
import {
  check,
  deliver,
  type Expected,
  expectFulfilments,
  expectPayment,
  recorded,
  startTwoNodes,
  statusOf,
  untilRecorded,
} from "./kit.ts";
import { Purchase } from "./provider.ts";

const ORDERS = 6;
const PAIRS = 24;
const BOTH = "told at the same moment, both count";
const RACES = [
  ["refund", "capture"],
  ["capture", "refund"],
  ["dispute", "capture"],
] as const;
/** As long as a provider goes on sending, in seconds. */
const DAYS = 3 * 24 * 60 * 60;

export default check({
  title: "what is known of a payment doesn't depend on the order in which it was told",
  points: 4,
  concept: "ordering",
  traps: ["last-arrival-wins", "newest-wins", "refund-before-capture-forgotten", "nobody-settles"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "A refund arrives before its capture. It is answered with 200, so nobody sends it again. Where is it now?",
    "State is what follows from the events that are known, not the type of the one that came last, and `created` has seconds only.",
    "The refund looks for a capture and finds none; at the same moment the capture looks for refunds and finds none. Whoever changes a payment has to hold it: `SELECT … FOR UPDATE` on a row that is there in any case.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes = [a, b];
    const purchases: Purchase[] = [];
    for (let order = 0; order < ORDERS; order++) {
      const purchase = new Purchase(t);
      purchases.push(purchase);
      const part = purchase.amount / 3n;
      const events = [
        purchase.authorized(),
        purchase.captured(),
        purchase.refunded(part),
        purchase.refunded(order % 2 ? part : purchase.amount - part),
        ...(order < 2 ? [purchase.disputed()] : []),
      ].map((event, i, { length }) => withTime(event, t.random.pick([0, 0, i, length - i, DAYS])));
      // The first order is the worst one.
      const told = order === 0 ? events.reverse() : t.random.shuffle(events);
      t.step(`in this order: ${told.map(({ type }) => type.replace("payment.", "")).join(", ")}`);
      for (const [index, event] of told.entries()) {
        await recorded(t, t.random.pick(nodes), event);
        const known = told.slice(0, index + 1);
        const what = "what is known of a payment follows from what was told, in any order";
        await expectPayment(t, [t.random.pick(nodes)], purchase, followsFrom(known), what);
      }
    }
    const sum = await b.balance("EUR");
    const kept = await Promise.all(purchases.map(({ payment }) => a.payment(payment)));
    const expected = kept.reduce(
      (all, one) => all + (one?.captured ?? 0n) - (one?.refunded ?? 0n),
      0n,
    );
    t.equal(sum, expected, "the balance is the sum of what the payments tell");
    await expectFulfilments(t, a, purchases, "each is shipped once");

    t.step(`capture and refund of ${PAIRS} payments at the same moment`);
    const pairs = Array.from({ length: PAIRS }, () => new Purchase(t));
    for (const pair of pairs) await recorded(t, b, pair.authorized());
    const halves = pairs.flatMap((pair) => [
      [a, pair.captured()] as const,
      [b, pair.refunded(pair.amount)] as const,
    ]);
    const met = await Promise.allSettled(halves.map(([node, event]) => deliver(t, node, event)));
    for (const outcome of met) statusOf(t, outcome);
    for (const [node, event] of halves) await untilRecorded(t, node, event);
    for (const pair of pairs) await expectPayment(t, [b], pair, wholly(pair), BOTH);

    for (const [first, second] of RACES) {
      const race = async (interleave: Interleave, where: string) => {
        const bought = new Purchase(t);
        // What is known of it is there already: nobody waits for whoever puts it there.
        await recorded(t, b, bought.authorized());
        const events = {
          capture: bought.captured(),
          refund: bought.refunded(bought.amount),
          dispute: bought.disputed(),
        };
        t.step(`a is told of the ${first} and stopped ${where}; b of the ${second}`);
        const outcomes = await interleave(
          () => deliver(t, a, events[first]),
          () => deliver(t, b, events[second]),
        );
        for (const outcome of outcomes) if (outcome) statusOf(t, outcome);
        const told = [events[first], events[second]];
        for (const event of told) await untilRecorded(t, b, event);
        await expectPayment(t, nodes, bought, followsFrom(told), BOTH);
      };
      await atEachMessage(t, { engine: "postgres" }, "goes on", (interleave) =>
        race(interleave, "on its way to PostgreSQL"),
      );
      await atEachTable(t, (interleave) => race(interleave, "where it writes a table"));
    }
  },
});

function wholly({ amount }: Purchase): Expected {
  return { state: "refunded", captured: amount, refunded: amount };
}

/** What the provider's clock says is not always in the order of things, and may be long ago. */
function withTime(event: WebhookEvent, seconds: number): WebhookEvent {
  return { ...event, created: event.created - seconds };
}

function followsFrom(events: readonly WebhookEvent[]): Expected {
  const sumOf = (type: string) =>
    events
      .filter((event) => event.type === type)
      .reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const has = (type: string) => events.some((event) => event.type === type);
  const captured = sumOf("payment.captured");
  const refunded = captured > 0n ? sumOf("payment.refunded") : 0n;
  const credited = captured === refunded ? "refunded" : "captured";
  const before = has("payment.authorized") ? "authorized" : "pending";
  const known = captured > 0n ? credited : before;
  return { state: has("payment.disputed") ? "disputed" : known, captured, refunded };
}
