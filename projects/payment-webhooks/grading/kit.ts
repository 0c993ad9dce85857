import { setTimeout as wait } from "node:timers/promises";
import { type CheckContext, checksFor } from "@db-katas/grading";
import { Redis } from "ioredis";
import type {
  Fulfilment,
  NodeConfig,
  Payment,
  Submission,
  WebhookEvent,
  WebhookNode,
  WebhookRequest,
  WebhookResponse,
} from "../contract.ts";
import { bytesOf, Purchase, signed } from "./provider.ts";

/** What nodes are told they may take for one call, in the check that measures it, in milliseconds. */
export const BUDGET_MS = 1_500;
/** What nodes are told elsewhere, in milliseconds: a busy machine must cost nobody a point. */
export const EASY_BUDGET_MS = 8_000;
/** Room for the grader itself and for a busy machine, in milliseconds. What hangs, hangs for seconds. */
export const SLACK_MS = 1_000;
/** What of it a call may wait for a Redis that hangs, by contract, in milliseconds. */
export const REDIS_MS = EASY_BUDGET_MS / 10;
/** How long nodes may take until they reach a store again that is back, in milliseconds. */
export const RECOVERY_MS = 10_000;
/** How long nodes are given to use Redis again, in milliseconds; a slower way back is no mistake. */
const BACK_MS = 1_500;
export const TOLERANCE_SECONDS = 300;
export const NO_ID = "(none)";
/** More than any check has fulfilments. */
const ALL = 1_000;

export type HookContext = CheckContext<Submission>;

/** Checks of this exercise start from a database that the submission's `migrate` has prepared. */
export const check = checksFor<Submission>({
  postgres: { build: (submission, url) => submission.migrate(url) },
});

const secrets = new WeakMap<HookContext, string>();

/** The provider's secret, drawn anew in each run. */
export function secretOf(t: HookContext): string {
  const secret = secrets.get(t) ?? `whsec_${t.random.word(32)}`;
  secrets.set(t, secret);
  return secret;
}

export async function startNode(
  t: HookContext,
  name: string,
  changed: Partial<NodeConfig> = {},
): Promise<WebhookNode> {
  const [postgres, redis] = await Promise.all([
    t.lease("postgres").urlFor(name),
    t.lease("redis").urlFor(name),
  ]);
  return t.start(name, {
    name,
    postgres,
    redis,
    signingSecrets: [secretOf(t)],
    toleranceSeconds: TOLERANCE_SECONDS,
    requestBudgetMs: EASY_BUDGET_MS,
    ...changed,
  });
}

/** Nodes `a` and `b`: two processes that share the stores and nothing else. */
export async function startTwoNodes(
  t: HookContext,
  changed: Partial<NodeConfig> = {},
): Promise<[a: WebhookNode, b: WebhookNode]> {
  return Promise.all([startNode(t, "a", changed), startNode(t, "b", changed)]);
}

export function requestOf(t: HookContext, event: WebhookEvent): WebhookRequest {
  return signed(bytesOf(event), { secrets: [secretOf(t)] });
}

export function deliver(
  t: HookContext,
  node: WebhookNode,
  event: WebhookEvent,
): Promise<WebhookResponse> {
  return node.receive(requestOf(t, event));
}

/**
 * Delivers where nothing stands in the way. A 503 is a busy machine's as long as it doesn't stay one: the
 * provider sends it again.
 */
export async function recorded(
  t: HookContext,
  node: WebhookNode,
  event: WebhookEvent,
  what = "a genuine event is answered with 200",
): Promise<void> {
  const end = performance.now() + RECOVERY_MS;
  let { status } = await deliver(t, node, event);
  while (status === 503 && performance.now() < end) ({ status } = await deliver(t, node, event));
  t.equal(status, 200, what);
}

/** Delivers as the provider does: again and again, until it is told 200. */
export async function untilRecorded(
  t: HookContext,
  node: WebhookNode,
  event: WebhookEvent,
  what = "sent again when all is well, an event is recorded",
): Promise<void> {
  const accepted = ({ status }: WebhookResponse) => status === 200;
  await t.eventually(RECOVERY_MS, () => deliver(t, node, event), accepted, what, "status 200");
}

export type Expected = Pick<Payment, "state" | "captured" | "refunded">;

/** What every one of these nodes must tell of a payment. */
export async function expectPayment(
  t: HookContext,
  nodes: readonly WebhookNode[],
  { payment, order }: Purchase,
  expected: Expected,
  what: string,
): Promise<void> {
  for (const node of nodes) {
    t.equal(await node.payment(payment), { id: payment, order, ...expected }, what);
  }
}

/** All that is to be shipped, once each, and nothing else, in any order. */
export async function expectFulfilments(
  t: HookContext,
  node: WebhookNode,
  purchases: readonly Purchase[],
  what: string,
): Promise<readonly Fulfilment[]> {
  const open = await node.fulfilments(ALL);
  const told = open.map(({ payment, order }) => `${payment} ${order}`).sort();
  t.equal(told, purchases.map(({ payment, order }) => `${payment} ${order}`).sort(), what);
  return open;
}

/** Ids of the events that were put aside, sorted; `(none)` where the body doesn't tell. */
export async function asideOf(t: HookContext, node: WebhookNode): Promise<string[]> {
  const aside = await node.quarantined();
  const mute = aside.find(({ reason }) => typeof reason !== "string" || reason.trim() === "");
  t.equal(mute, undefined, "what is put aside says why");
  return aside.map(({ eventId }) => (eventId === null ? NO_ID : String(eventId) || "''")).sort();
}

/** The same, where a store has been away: a node may need another moment until it can answer at all. */
export async function expectPaymentBack(
  t: HookContext,
  nodes: readonly WebhookNode[],
  purchase: Purchase,
  expected: Expected,
  what: string,
): Promise<void> {
  for (const node of nodes) {
    const ask = () => node.payment(purchase.payment);
    await t.eventually(RECOVERY_MS, ask, () => true, "a node answers again", "any answer");
    await expectPayment(t, [node], purchase, expected, what);
  }
}

/**
 * What a delivery that meets another one, or a fault, may be answered: 503 is no mistake, the provider
 * sends it again. Anything that isn't an answer is.
 */
export function statusOf(
  t: HookContext,
  outcome: PromiseSettledResult<WebhookResponse>,
): 200 | 503 {
  if (outcome.status === "rejected") throw outcome.reason;
  const { status } = outcome.value;
  t.ok(status === 200 || status === 503, "a genuine event is answered with 200 or 503", {
    expected: "200 or 503",
    received: String(status),
  });
  return status as 200 | 503;
}

/**
 * Tells nodes a and b of something that moves no money until each has heard from Redis twice, so that
 * what follows meets nodes that use it. Nodes that do without are left alone.
 */
export async function untilBackOnRedis(
  t: HookContext,
  nodes: readonly WebhookNode[],
): Promise<void> {
  const end = performance.now() + BACK_MS;
  for (const [index, node] of nodes.entries()) {
    const traffic = () => t.lease("redis").traffic(index === 0 ? "a" : "b");
    for (let heard = 0; heard < 2 && traffic().connections > 0 && performance.now() < end; ) {
      const { bytesDown } = traffic();
      await untilRecorded(t, node, new Purchase(t).authorized());
      if (traffic().bytesDown > bytesDown) heard += 1;
      else await wait(20);
    }
  }
}

/** Takes everything out of this check's Redis. */
export async function emptyRedis(t: HookContext): Promise<void> {
  t.step("Redis is emptied");
  const redis = new Redis(t.lease("redis").adminUrl);
  await redis.flushdb();
  redis.disconnect();
}
