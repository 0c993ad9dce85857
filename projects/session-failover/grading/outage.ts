/** Nodes that start while Redis is away, and nodes that come back to it. */
import { setTimeout as wait } from "node:timers/promises";
import type { SessionNode } from "../contract.ts";
import { type SessionContext, SLACK_MS, sessionInput, startNodes } from "./kit.ts";

/** How long a node may take to open while Redis is away, in milliseconds. */
const OPEN_MS = 3_000;
/** How long nodes may take to use Redis again, in milliseconds; a slower way back is no mistake. */
const FAIL_BACK_MS = 2_500;
/** By when they must, in milliseconds. */
const BACK_MS = 8_000;
/** More than a greeting, less than a few reads of the canary. */
const BYTES_OF_A_SESSION = 300;

/**
 * At the start, or after a heal: reads a session that nobody cares for until every node has heard
 * from Redis, so that what follows meets nodes that trust it. Nodes that do without Redis are given
 * that time and no more.
 */
export async function untilBackOnRedis(
  t: SessionContext,
  nodes: readonly SessionNode[],
  names = ["a", "b"],
): Promise<void> {
  const received = () => names.map((name) => t.lease("redis").traffic(name).bytesDown);
  const [first] = nodes;
  if (!first) return;
  // Not the bytes: of a node that has only just been started, Redis may not have heard yet.
  if (names.every((name) => t.lease("redis").traffic(name).connections === 0)) return;
  const before = received();
  const canary = await first.create(sessionInput(t));
  const end = performance.now() + FAIL_BACK_MS;
  while (performance.now() < end) {
    for (const node of nodes) await node.get(canary.id);
    if (received().every((bytes, node) => bytes > (before[node] ?? 0) + BYTES_OF_A_SESSION)) return;
    await wait(20);
  }
}

/**
 * A node that is opened while Redis is away.
 * @param away how, in words
 */
export async function startWithoutRedis(
  t: SessionContext,
  name: string,
  away: string,
  budgetMs?: number,
): Promise<SessionNode> {
  t.step(`node ${name} is opened while Redis is ${away}`);
  const what = `a node opens, and doesn't wait for Redis, while Redis is ${away}`;
  const open = () => startNodes(t, [name], budgetMs);
  const { outcome } = await t.within(OPEN_MS + SLACK_MS, open, what);
  if (outcome.status === "rejected") throw outcome.reason;
  return outcome.value[0] as SessionNode;
}

/**
 * That a node asks Redis again once that is back. Whoever does well without Redis, and has never
 * connected to it, needn't come back to it.
 */
export async function expectBackOnRedis(
  t: SessionContext,
  node: SessionNode,
  name: string,
): Promise<void> {
  const traffic = () => t.lease("redis").traffic(name);
  const { connections, bytesDown } = traffic();
  if (connections === 0) return;
  const canary = await node.create(sessionInput(t));
  await t.eventually(
    BACK_MS,
    async () => {
      await node.get(canary.id);
      return traffic().bytesDown - bytesDown;
    },
    (bytes) => bytes > 0,
    "Redis is used again once it is back",
    `an answer of Redis on node ${name}'s connection`,
  );
}
