import { kill } from "@db-katas/engines/faults/kill";
import { pause } from "@db-katas/engines/faults/pause";
import { whileNobodyWrites } from "./interleave.ts";
import {
  BUDGET_MS,
  check,
  deliver,
  expectFulfilments,
  expectPaymentBack,
  SLACK_MS,
  secretOf,
  startTwoNodes,
  statusOf,
  untilRecorded,
} from "./kit.ts";
import { bytesOf, Purchase, requestWith, signed } from "./provider.ts";

/** Payments that are told immediately before. */
const LAST = 6;
/** As many fail at the same moment: more than half of PostgreSQL's connections. */
const FAILURES = 120;

export default check({
  title: "without PostgreSQL the answer is 503, in time, and what is sent again later is recorded",
  points: 4,
  concept: "durability",
  traps: ["error-answered-with-200", "waits-for-ever", "not-flushed", "failure-costs-a-connection"],
  engines: { postgres: { faults: [kill, pause] }, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "A catch that answers 200 keeps the provider quiet. Who sends this event again?",
    "A PostgreSQL that hangs breaks no connection and reports no error. pg waits for ever unless `connectionTimeoutMillis` and a limit on queries say otherwise.",
    "Nor is it enough to stop waiting: the next call gets the same connection from the pool. End it (`client.release(true)`).",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t, { requestBudgetMs: BUDGET_MS });
    const before = new Purchase(t);
    await untilRecorded(t, a, before.authorized());
    const purchases: Purchase[] = [];
    for (const fault of [kill, pause]) {
      const last = Array.from({ length: LAST }, () => new Purchase(t));
      t.step(`${LAST} payments, and at once PostgreSQL is away (${fault.name})`);
      const deliveries = last.map((each, i) => deliver(t, i % 2 ? a : b, each.captured()));
      const settled = await Promise.allSettled(deliveries);
      const outage = await t.inject("postgres", fault);
      const promised = last.filter((_, i) => {
        const outcome = settled[i];
        return outcome && statusOf(t, outcome) === 200;
      });
      const purchase = new Purchase(t);
      purchases.push(purchase);
      const event = purchase.captured();
      const poison = signed(bytesOf(`no JSON ${t.random.word()}`), { secrets: [secretOf(t)] });
      const forged = requestWith("t=1,v1=00", bytesOf(event));
      const told = [
        [a, 503, () => deliver(t, a, event)],
        [b, 503, () => deliver(t, b, event)],
        [b, 503, () => deliver(t, b, before.disputed())],
        [a, 503, () => deliver(t, a, before.refunded(1n))],
        [b, 503, () => b.receive(poison)],
        [a, 401, () => a.receive(forged)],
      ] as const;
      await Promise.all(
        told.map(async ([, status, call]) => {
          const what = "a delivery is answered within its budget while PostgreSQL is away";
          const { outcome } = await t.within(BUDGET_MS + SLACK_MS, call, what);
          if (outcome.status === "rejected") throw outcome.reason;
          const refused = "what can't be recorded is answered with 503, what is forged with 401";
          t.equal(outcome.value.status, status, refused);
        }),
      );
      const reads: readonly (() => Promise<unknown>)[] = [
        () => a.payment(before.payment),
        () => a.balance("EUR"),
        () => b.fulfilments(10),
        () => b.confirm("no such fulfilment"),
        () => b.quarantined(),
      ];
      await Promise.all(
        reads.map(async (read) => {
          const what = "without PostgreSQL every other call is refused, within its budget";
          const { outcome } = await t.within(BUDGET_MS + SLACK_MS, read, what);
          const settled =
            outcome.status === "fulfilled"
              ? Promise.resolve(outcome.value)
              : Promise.reject(outcome.reason);
          await t.rejects(settled, "STORE_UNAVAILABLE", what);
        }),
      );
      t.step("PostgreSQL is back; the provider sends everything again");
      await outage.heal();
      for (const node of [a, b]) await untilRecorded(t, node, event);
      for (const each of promised) {
        const there = { state: "captured", captured: each.amount, refunded: 0n } as const;
        await expectPaymentBack(t, [b], each, there, "what was answered with 200 survived");
      }
      for (const each of last) await untilRecorded(t, b, each.captured());
      purchases.push(...last);
      const all = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
      await expectPaymentBack(t, [a, b], purchase, all, "recorded late, and once");
    }
    t.step(`a table is locked until ${FAILURES} deliveries have failed`);
    await whileNobodyWrites(t, async () => {
      const late = Array.from({ length: FAILURES }, () =>
        deliver(t, a, new Purchase(t).authorized()),
      );
      for (const outcome of await Promise.allSettled(late)) statusOf(t, outcome);
    });
    await untilRecorded(t, a, new Purchase(t).authorized(), "a failure costs no connection");
    const total = purchases.reduce((sum, { amount }) => sum + amount, 0n);
    t.equal(await b.balance("EUR"), total, "nothing is credited twice");
    await expectFulfilments(t, a, purchases, "nor shipped twice");
  },
});
