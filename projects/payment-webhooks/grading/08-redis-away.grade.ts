import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { restartEmpty } from "@db-katas/engines/faults/restartEmpty";
import type { WebhookEvent, WebhookNode } from "../contract.ts";
import {
  check,
  deliver,
  EASY_BUDGET_MS,
  emptyRedis,
  expectFulfilments,
  expectPayment,
  type HookContext,
  recorded,
  SLACK_MS,
  startNode,
  startTwoNodes,
} from "./kit.ts";
import { Purchase, retold } from "./provider.ts";

/** What a node may take to open, by contract, in milliseconds. */
const OPEN_MS = 3_000;

export default check({
  title: "whatever Redis does, events are recorded in time, and once",
  points: 4,
  concept: "failover",
  traps: ["redis-is-the-memory", "redis-is-needed"],
  engines: { postgres: {}, redis: { faults: [kill, pause, restartEmpty] } },
  nodes: ["a", "b", "c"],
  dependsOn: ["credited"],
  hints: [
    "Redis has forgotten everything. Who else knows that this payment was credited?",
    "A Redis that hangs breaks no connection and reports no error: give it milliseconds, then go on without it.",
    "ioredis keeps commands while it is offline (`enableOfflineQueue`) and tries each twenty times (`maxRetriesPerRequest`). Neither is what a shortcut wants.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes: WebhookNode[] = [a, b];
    const purchases: Purchase[] = [];
    const told: WebhookEvent[] = [];
    const sendAgain = async (what: string) => {
      for (const event of told) {
        const twin = t.random.pick([event, retold(t, event)]);
        await recorded(t, t.random.pick(nodes), twin, "a duplicate is answered with 200");
      }
      for (const purchase of purchases) {
        const all = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
        await expectPayment(t, [t.random.pick(nodes)], purchase, all, what);
      }
    };
    const buy = () => {
      const purchase = new Purchase(t);
      purchases.push(purchase);
      const event = purchase.captured();
      told.push(event);
      return event;
    };
    for (const node of nodes) await recorded(t, node, buy());
    await emptyRedis(t);
    await sendAgain("Redis was emptied: nothing is credited twice");

    for (const fault of [kill, pause]) {
      t.step(`Redis is away (${fault.name})`);
      const outage = await t.inject("redis", fault);
      if (fault === pause) nodes.push(await openWithout(t));
      const deliveries = nodes.flatMap((node) => [
        [node, buy()] as const,
        [node, t.random.pick(told)] as const,
      ]);
      for (const [node, event] of deliveries) {
        const what = "without Redis an event is recorded within the budget";
        const limit = EASY_BUDGET_MS + SLACK_MS;
        const { outcome } = await t.within(limit, () => deliver(t, node, event), what);
        if (outcome.status === "rejected") throw outcome.reason;
        t.equal(outcome.value.status, 200, what);
      }
      t.step("Redis is back, with what it had");
      await outage.heal();
      await sendAgain("Redis is back: nothing is credited twice");
    }
    t.step("Redis comes back with nothing");
    await t.inject("redis", restartEmpty);
    await sendAgain("Redis came back empty: nothing is credited twice");
    await expectFulfilments(t, b, purchases, "and each is shipped once");
  },
});

async function openWithout(t: HookContext): Promise<WebhookNode> {
  const what = "a node opens while Redis hangs";
  const { outcome } = await t.within(OPEN_MS + SLACK_MS, () => startNode(t, "c"), what);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
