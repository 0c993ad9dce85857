import { setTimeout as wait } from "node:timers/promises";
import type { WebhookNode } from "../contract.ts";
import {
  check,
  deliver,
  EASY_BUDGET_MS,
  expectFulfilments,
  expectPayment,
  type HookContext,
  RECOVERY_MS,
  recorded,
  SLACK_MS,
  startNode,
  startTwoNodes,
} from "./kit.ts";
import { Purchase } from "./provider.ts";

/** What a call may wait for a migration that has nothing to do, by contract, in milliseconds. */
const MIGRATION_MS = 1_000;
/** Between two deliveries to a node while it lasts, in milliseconds. */
const PAUSE_MS = 20;
/** How long to wait for somebody who closes too early, in milliseconds. */
const EARLY_MS = 500;
/** Payments of a node that is then started again. */
const EARLIER = 6;
/** How often it is told the next one: a busy machine needs seconds for a 503, and won't for each. */
const TRIES = 3;

export default check({
  title: "a deployment costs nobody an event: the schema is migrated, nodes are closed and started",
  points: 2,
  concept: "deployment",
  traps: ["migrates-with-a-lock", "closes-at-once", "numbered-in-the-process"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b", "c"],
  dependsOn: ["credited"],
  hints: [
    "The old node is told to close, and has a delivery half recorded. What will the provider be told, and by whom?",
    "A process that starts again under its old name has forgotten all that it ever counted.",
    "`close`: wait for what is under way, then end every connection, those to Redis too. `migrate`: look first, and lock nothing where nothing is to be done.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    t.step("migrate is called again, while both nodes are told of something");
    await expectNobodyWaits(t, [a, b]);

    t.step("a is closed while it records something");
    const earlier = Array.from({ length: EARLIER }, () => new Purchase(t));
    for (const purchase of earlier) await recorded(t, a, purchase.captured());
    const last = new Purchase(t);
    await closeMeanwhile(t, a, () => deliver(t, a, last.captured()));
    const finished = { state: "captured", captured: last.amount, refunded: 0n } as const;
    await expectPayment(t, [b], last, finished, "and what it recorded is there");

    t.step("a is started again, under its name");
    const c = await startNode(t, "c", { name: "a" });
    const later = new Purchase(t);
    const statuses: number[] = [];
    while (statuses.length < TRIES && statuses.at(-1) !== 200) {
      statuses.push((await deliver(t, c, later.captured())).status);
    }
    t.equal(statuses.at(-1), 200, "what it is told then is recorded at once");
    const each = "each captured payment is to be fulfilled";
    const open = await expectFulfilments(t, c, [...earlier, last, later], each);
    t.equal(new Set(open.map(({ id }) => id)).size, open.length, "each has an id of its own");

    t.step("all are closed");
    for (const node of [b, c]) await close(t, node);
    const left = async () =>
      [t.lease("postgres"), t.lease("redis")]
        .flatMap((lease) => ["a", "b", "c"].map((name) => lease.traffic(name).open))
        .reduce((sum, connections) => sum + connections, 0);
    const what = "close() lets go of every connection";
    await t.eventually(RECOVERY_MS, left, (connections) => connections === 0, what, "none");
  },
});

/** Migrates while both nodes are told of something; once more where the machine may have stalled. */
async function expectNobodyWaits(t: HookContext, nodes: readonly WebhookNode[]): Promise<void> {
  const limitMs = MIGRATION_MS + SLACK_MS;
  const first = await migrateMeanwhile(t, nodes);
  const slowest = first <= limitMs ? first : Math.min(first, await migrateMeanwhile(t, nodes));
  t.ok(slowest <= limitMs, "nobody waits long for a migration that has nothing to do", {
    expected: `every answer within ${limitMs} ms`,
    received: `one took ${slowest.toFixed(0)} ms`,
  });
}

/** @returns how long the slowest delivery took, in milliseconds */
async function migrateMeanwhile(t: HookContext, nodes: readonly WebhookNode[]): Promise<number> {
  let over = false;
  let slowest = 0;
  const url = await t.lease("postgres").urlFor("migrate");
  const migrating = t.migrate(url).finally(() => {
    over = true;
  });
  const tell = async (node: WebhookNode) => {
    do {
      const begin = performance.now();
      await recorded(t, node, new Purchase(t).authorized());
      slowest = Math.max(slowest, performance.now() - begin);
      await wait(PAUSE_MS);
    } while (!over);
  };
  await Promise.all([migrating, ...nodes.map(tell)]);
  return slowest;
}

async function close(t: HookContext, node: WebhookNode): Promise<void> {
  const what = "close() ends within the budget";
  const { outcome } = await t.within(EASY_BUDGET_MS + SLACK_MS, () => node.close(), what);
  if (outcome.status === "rejected") throw outcome.reason;
}

/** Closes node a while the first message of a delivery is on its way to PostgreSQL. */
async function closeMeanwhile(
  t: HookContext,
  a: WebhookNode,
  call: () => ReturnType<WebhookNode["receive"]>,
): Promise<void> {
  using gate = t.hold("postgres", { node: "a", match: /./ });
  let answered = false;
  const delivery = call().finally(() => {
    answered = true;
  });
  await Promise.race([gate.held, Promise.allSettled([delivery])]);
  const closing = close(t, a);
  const early = await Promise.race([closing.then(() => !answered), wait(EARLY_MS, false)]);
  gate.release();
  t.equal(early, false, "close() does not end before what is under way");
  await closing;
  t.equal((await delivery).status, 200, "what is under way is finished");
}
