import type { WebhookNode } from "../contract.ts";
import { atEachMessage, DEATH, type Place } from "./interleave.ts";
import {
  check,
  deliver,
  expectFulfilments,
  expectPaymentBack,
  type HookContext,
  startTwoNodes,
  statusOf,
  untilBackOnRedis,
  untilRecorded,
} from "./kit.ts";
import { Purchase } from "./provider.ts";

const PLACES: readonly Place[] = [
  { engine: "redis" },
  { engine: "redis", direction: "reply" },
  { engine: "postgres" },
  { engine: "postgres", direction: "reply" },
];

export default check({
  title: "200 is a promise: wherever a node dies, what it or another one acknowledged is there",
  points: 5,
  concept: "atomicity",
  traps: [
    "marked-before-done",
    "acknowledged-before-commit",
    "effect-in-a-transaction-of-its-own",
    "dies-of-a-lost-connection",
  ],
  engines: { postgres: DEATH, redis: DEATH },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  timeoutMs: 180_000,
  hints: [
    "Node a dies between any two of its messages. The provider sends the event to b: what does b believe, and is it true?",
    "Something says 'this event is known', something else 'it is credited'. If one of them can be true without the other, a node will die just there.",
    "One transaction in PostgreSQL: the event's id, the credit, the message to the warehouse. Say 200 when COMMIT was answered; tell Redis after that, if at all.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const purchases: Purchase[] = [];
    for (const place of PLACES) {
      await atEachMessage(t, place, "dies", async (interleave) => {
        await untilBackOnRedis(t, [a, b]);
        const purchase = new Purchase(t);
        purchases.push(purchase);
        await dieAndTellAgain(t, a, b, purchase, place, interleave);
      });
    }
    const total = purchases.reduce((sum, { amount }) => sum + amount, 0n);
    t.equal(await b.balance("EUR"), total, "in the end each is in the balance once");
    await expectFulfilments(t, b, purchases, "and each is shipped once");
  },
});

async function dieAndTellAgain(
  t: HookContext,
  a: WebhookNode,
  b: WebhookNode,
  purchase: Purchase,
  { engine, direction = "request" }: Place,
  interleave: Parameters<Parameters<typeof atEachMessage>[3]>[0],
): Promise<void> {
  const event = purchase.captured();
  t.step(`a dies at a ${direction} of ${engine}; b is told the same`);
  const outcomes = await interleave(
    () => deliver(t, a, event),
    () => deliver(t, b, event),
  );
  const statuses = outcomes.map((outcome) => outcome && statusOf(t, outcome));
  const all = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
  if (statuses.includes(200)) {
    await expectPaymentBack(t, [b], purchase, all, "what was answered with 200 is there");
  }
  await untilRecorded(t, b, event, "told again, another node records what the dead one didn't");
  await expectPaymentBack(t, [b], purchase, all, "told again, it is credited once");
}
