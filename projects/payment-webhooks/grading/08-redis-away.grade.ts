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
  REDIS_MS,
  recorded,
  SLACK_MS,
  secretOf,
  startNode,
  startTwoNodes,
  untilBackOnRedis,
} from "./kit.ts";
import { bytesOf, Purchase, retold, signed } from "./provider.ts";

/** What a node may take to open, by contract, in milliseconds. */
const OPEN_MS = 3_000;

export default check({
  title: "whatever Redis does, events are recorded in time, and once",
  points: 4,
  concept: "failover",
  traps: ["redis-is-the-memory", "redis-is-needed", "cached-in-redis"],
  engines: { postgres: {}, redis: { faults: [kill, pause, restartEmpty] } },
  nodes: ["a", "b", "c", "d"],
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
    let aside = 0;
    const partOf = ({ amount }: Purchase) => amount / 4n;
    const begin = async () => {
      const purchase = new Purchase(t);
      purchases.push(purchase);
      told.push(purchase.captured());
      await recorded(t, t.random.pick(nodes), told.at(-1) as WebhookEvent);
      // Asked often enough that a node which caches has every reason to.
      const captured = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
      for (let i = 0; i < 2; i++)
        await expectPayment(t, nodes, purchase, captured, "it is captured");
      return purchase;
    };
    const go = (purchase: Purchase) => {
      const events = [purchase.refunded(partOf(purchase)), purchase.disputed()];
      told.push(...events);
      return events;
    };
    const expectAll = async (what: string) => {
      for (const purchase of purchases) {
        const amounts = { captured: purchase.amount, refunded: partOf(purchase) };
        await expectPayment(t, nodes, purchase, { state: "disputed", ...amounts }, what);
      }
      for (const node of nodes) t.equal((await node.quarantined()).length, aside, what);
    };
    const sendAgain = async (what: string) => {
      await expectAll(what);
      for (const event of told) {
        const twin = t.random.pick([event, retold(t, event)]);
        await recorded(t, t.random.pick(nodes), twin, "a duplicate is answered with 200");
      }
      await expectAll(what);
    };
    const first = await begin();
    for (const event of go(first)) await recorded(t, b, event);
    await emptyRedis(t);
    await sendAgain("Redis was emptied: nothing is forgotten, nothing counts twice");

    for (const [fault, name] of [
      [kill, "c"],
      [pause, "d"],
    ] as const) {
      const before = await begin();
      t.step(`Redis is away (${fault.name})`);
      const outage = await t.inject("redis", fault);
      nodes.push(await openWithout(t, name, fault.name));
      const inTime = async <T>(call: () => Promise<T>): Promise<T> => {
        const what = "without Redis everything is answered within the budget";
        const { outcome } = await t.within(EASY_BUDGET_MS + SLACK_MS, call, what);
        if (outcome.status === "rejected") throw outcome.reason;
        return outcome.value;
      };
      await expectShortWait(t, [a, b], fault.name);
      const fresh = nodes.map(() => new Purchase(t));
      const events = [
        ...go(before),
        ...fresh.flatMap((purchase) => {
          const captured = purchase.captured();
          told.push(captured);
          return [captured, ...go(purchase)];
        }),
      ];
      purchases.push(...fresh);
      for (const [i, event] of [...events, ...events.slice(0, 3)].entries()) {
        const node = nodes[i % nodes.length] ?? a;
        const { status } = await inTime(() => deliver(t, node, event));
        t.equal(status, 200, "without Redis an event is recorded");
      }
      const poison = signed(bytesOf(`no JSON ${fault.name}`), { secrets: [secretOf(t)] });
      for (const node of nodes) {
        t.equal((await inTime(() => node.receive(poison))).status, 200, "and poison is put aside");
      }
      aside += 1;
      for (const node of nodes) {
        const known = await inTime(() => node.payment(before.payment));
        t.equal(known?.state, "disputed", "without Redis a node reads what was recorded");
        await inTime(() => node.balance("EUR"));
        const [open] = await inTime(() => node.fulfilments(1));
        t.equal(open?.payment, first.payment, "and offers what is to be shipped");
        await inTime(() => node.confirm("no such fulfilment"));
        t.equal((await inTime(() => node.quarantined())).length, aside, "and what was put aside");
      }
      t.step("Redis is back, with what it had");
      await outage.heal();
      await untilBackOnRedis(t, [a, b]);
      await sendAgain("Redis is back: nothing is forgotten, nothing counts twice");
    }
    t.step("Redis comes back with nothing");
    await t.inject("redis", restartEmpty);
    await sendAgain("Redis came back empty: nothing is forgotten, nothing counts twice");
    await expectFulfilments(t, b, purchases, "and each is shipped once");
  },
});

/** Both used Redis until it went away; a machine that stalls doesn't stall just the first call of both. */
async function expectShortWait(
  t: HookContext,
  nodes: readonly WebhookNode[],
  fault: string,
): Promise<void> {
  const waits: number[] = [];
  for (const node of nodes) {
    const begin = performance.now();
    await recorded(t, node, new Purchase(t).authorized());
    waits.push(performance.now() - begin);
  }
  const limitMs = REDIS_MS + SLACK_MS;
  t.ok(Math.min(...waits) <= limitMs, `nobody waits long for Redis (${fault})`, {
    expected: `an answer of one of them within ${limitMs} ms`,
    received: waits.map((each) => `${each.toFixed(0)} ms`).join(", "),
  });
}

async function openWithout(t: HookContext, name: string, fault: string): Promise<WebhookNode> {
  const what = `a node opens without Redis (${fault})`;
  const { outcome } = await t.within(OPEN_MS + SLACK_MS, () => startNode(t, name), what);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value;
}
