import { setTimeout as wait } from "node:timers/promises";
import { kill } from "@db-katas/engines/faults/kill";
import { resetConnections } from "@db-katas/engines/faults/resetConnections";
import { type CounterOp, checkCounter, History, SubmissionError } from "@db-katas/grading";
import type { WebhookEvent, WebhookNode } from "../contract.ts";
import {
  check,
  deliver,
  emptyRedis,
  expectFulfilments,
  type HookContext,
  RECOVERY_MS,
  startTwoNodes,
} from "./kit.ts";
import { Purchase, retold } from "./provider.ts";

const CLIENTS = 5;
const PAYMENTS = 3;
/** How long the provider waits before it sends something again, in milliseconds. Real ones take longer. */
const AGAIN_MS = 25;

export default check({
  title:
    "under load, with connections that break and a Redis that dies, every balance is explained",
  points: 4,
  concept: "idempotency",
  engines: { postgres: { faults: [resetConnections] }, redis: { faults: [kill] } },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "Take a balance that nobody can explain, and look for the operations on its payment: which of them counted twice, or not at all?",
    "A commit whose answer was lost may have happened. Only the database knows; ask it by sending the event through the same way again, as the provider does.",
  ],
  async run(t) {
    const nodes = await startTwoNodes(t);
    const history = new History<CounterOp>();
    const purchases: Purchase[] = [];
    const client = async (name: string) => {
      for (let i = 0; i < PAYMENTS; i++) {
        const purchase = new Purchase(t, BigInt(t.random.int(100, 9_999)));
        purchases.push(purchase);
        const count = async (event: WebhookEvent, amount: bigint) => {
          const told = () => tellBoth(t, nodes, event);
          await history.record(name, "add", "EUR", told, Number(amount));
        };
        await count(purchase.captured(), purchase.amount);
        await readBalance(t, history, name, nodes);
        const part = purchase.amount / 3n;
        await count(purchase.refunded(part), -part);
        await readBalance(t, history, name, nodes);
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(`client ${i}`)));
    // It may fail while a fault is still being injected; it is awaited below.
    load.catch(() => {});
    await t.inject("postgres", resetConnections, { nodes: ["a"] });
    const outage = await t.inject("redis", kill);
    await t.inject("postgres", resetConnections, { nodes: ["b"] });
    await outage.heal();
    await emptyRedis(t);
    await t.inject("postgres", resetConnections);
    await load;
    for (const [index, node] of nodes.entries()) {
      await history.record(`end ${index}`, "read", "EUR", async () =>
        Number(await node.balance("EUR")),
      );
    }
    const verdict = checkCounter(history.operations);
    t.historyHolds(verdict, "every balance is explained by what was captured and refunded");
    await expectFulfilments(t, nodes[0], purchases, "each is shipped once");
  },
});

/** The provider, which has two workers that know nothing of each other: each sends until it is told 200. */
async function tellBoth(
  t: HookContext,
  nodes: readonly WebhookNode[],
  event: WebhookEvent,
): Promise<void> {
  const twin = t.random.pick([event, retold(t, event)]);
  const [one, other] = t.random.shuffle(nodes);
  if (one && other) await Promise.all([tell(t, one, event), tell(t, other, twin)]);
}

async function tell(t: HookContext, node: WebhookNode, event: WebhookEvent): Promise<void> {
  const end = performance.now() + RECOVERY_MS;
  for (;;) {
    const { status } = await deliver(t, node, event);
    if (status === 200) return;
    t.ok(status === 503 && performance.now() < end, "sent again and again, an event is recorded", {
      expected: "503 for a while, then 200",
      received: String(status),
    });
    await wait(AGAIN_MS);
  }
}

async function readBalance(
  t: HookContext,
  history: History<CounterOp>,
  name: string,
  nodes: readonly WebhookNode[],
): Promise<void> {
  const node = t.random.pick(nodes);
  try {
    await history.record(name, "read", "EUR", async () => Number(await node.balance("EUR")));
  } catch (error) {
    // A connection that broke under a read is no wrong answer.
    if (!(error instanceof SubmissionError && error.code === "STORE_UNAVAILABLE")) throw error;
  }
}
