import { setTimeout as wait } from "node:timers/promises";
import type { WebhookNode } from "../contract.ts";
import { atEachMessage, DEATH } from "./interleave.ts";
import {
  asideOf,
  check,
  type Expected,
  expectPaymentBack,
  type HookContext,
  RECOVERY_MS,
  recorded,
  secretOf,
  startTwoNodes,
} from "./kit.ts";
import { bytesOf, Purchase, signed } from "./provider.ts";

/** How long the second delivery to a node that is stopped may take, in milliseconds. */
const SECOND_MS = 150;

/** Something that is told, what was told before, and what must follow. */
interface Story {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Undefined where nothing may be known of a payment. */
  readonly expected: Expected | undefined;
  /** Ids of events that are put aside then. */
  readonly aside: readonly string[];
}

export default check({
  title: "the promise is kept for refunds and poison too, and for all that follows from an event",
  points: 3,
  concept: "atomicity",
  traps: ["only-captures-are-atomic", "known-in-the-process"],
  engines: { postgres: DEATH, redis: DEATH },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  timeoutMs: 180_000,
  hints: [
    "A capture settles the refunds that waited and puts aside those that don't fit. How much of that is there when its node dies half-way?",
    "Two deliveries of one event reach the same node. What does the second one say, and what does it know?",
    "Every type of event in one transaction with all that follows from it; nothing about it in the memory of a process.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    for (const begin of STORIES) {
      await atEachMessage(t, { engine: "postgres" }, "dies", async (interleave) => {
        const purchase = new Purchase(t, 10_000n);
        const story = await begin(t, purchase, b);
        t.step(`a is told of ${story.name}, twice, and dies; b is asked`);
        const request = signed(story.bytes, { secrets: [secretOf(t)] });
        const outcomes = await interleave(
          () => a.receive(request),
          () => Promise.race([a.receive(request), wait(SECOND_MS, undefined)]),
        );
        const promised = outcomes.some(
          (outcome) => outcome?.status === "fulfilled" && outcome.value?.status === 200,
        );
        const all = "what was answered with 200 is there, with all that follows from it";
        if (promised) await expectStory(t, b, purchase, story, all);
        const resend = () => b.receive(signed(story.bytes, { secrets: [secretOf(t)] }));
        const again = "told again, another node records what the dead one didn't";
        await t.eventually(
          RECOVERY_MS,
          resend,
          ({ status }) => status === 200,
          again,
          "status 200",
        );
        await expectStory(t, b, purchase, story, again);
      });
    }
  },
});

type Begin = (t: HookContext, purchase: Purchase, b: WebhookNode) => Promise<Story>;

const STORIES: readonly Begin[] = [
  async (t, purchase, b) => {
    const [fits, exceeds] = [purchase.refunded(6_000n), purchase.refunded(6_000n)];
    for (const event of [fits, exceeds]) await recorded(t, b, event);
    return {
      name: "a capture for which refunds wait",
      bytes: bytesOf(purchase.captured()),
      expected: { state: "captured", captured: 10_000n, refunded: 6_000n },
      aside: [exceeds.id],
    };
  },
  async (t, purchase, b) => {
    await recorded(t, b, purchase.captured());
    return {
      name: "a refund of all",
      bytes: bytesOf(purchase.refunded(10_000n)),
      expected: { state: "refunded", captured: 10_000n, refunded: 10_000n },
      aside: [],
    };
  },
  async (_t, purchase) => {
    const event = { ...purchase.captured(), amount: "12.50" };
    return {
      name: "something impossible",
      bytes: bytesOf(event),
      expected: undefined,
      aside: [event.id],
    };
  },
];

async function expectStory(
  t: HookContext,
  node: WebhookNode,
  purchase: Purchase,
  { expected, aside }: Story,
  what: string,
): Promise<void> {
  if (expected) await expectPaymentBack(t, [node], purchase, expected, what);
  else t.equal(await node.payment(purchase.payment), null, what);
  const ask = () => node.quarantined();
  await t.eventually(RECOVERY_MS, ask, () => true, "a node answers again", "any answer");
  const all = await asideOf(t, node);
  const found = aside.map((id) => all.filter((each) => each === id).length);
  t.equal(
    found,
    aside.map(() => 1),
    `${what}: put aside, once`,
  );
}
