import pg from "pg";
import { atEachMessage } from "./interleave.ts";
import {
  check,
  deliver,
  expectFulfilments,
  expectPayment,
  recorded,
  requestOf,
  secretOf,
  startTwoNodes,
  statusOf,
  untilRecorded,
} from "./kit.ts";
import { bytesOf, Purchase, retold, signed } from "./provider.ts";

const DELIVERIES = 8;

export default check({
  title: "what happened once is credited once, however often and by whomever it is told",
  points: 4,
  concept: "idempotency",
  traps: [
    "looks-then-inserts",
    "known-by-its-bytes",
    "known-by-its-payment",
    "known-by-its-id-only",
  ],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "By what do you know that you have seen an event? What of it is the same when it is sent again, and what isn't?",
    async (t) => {
      const client = new pg.Client({ connectionString: t.lease("postgres").adminUrl });
      await client.connect();
      const { rows } = await client.query<{ table: string; index: string }>(
        `SELECT indrelid::regclass::text AS table, pg_get_indexdef(indexrelid) AS index
         FROM pg_index WHERE indisunique AND indrelid::regclass::text NOT LIKE 'pg\\_%'`,
      );
      await client.end();
      const all = rows.map(({ index }) => index.replace(/^CREATE UNIQUE INDEX \\S+ ON /, ""));
      return `What your database holds to be unique: ${all.join("; ") || "nothing at all"}.`;
    },
    "Two unique things: the notification by its id, and what it tells of by type and subject. Let an insert that conflicts decide, in the transaction that credits.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes = [a, b];
    const purchase = new Purchase(t);
    const capture = purchase.captured();
    t.step(`the same capture ${DELIVERIES} times at the same moment, on both nodes`);
    const burst = Array.from({ length: DELIVERIES }, (_, i) => deliver(t, i % 2 ? a : b, capture));
    for (const outcome of await Promise.allSettled(burst)) statusOf(t, outcome);
    await untilRecorded(t, a, capture);
    const once = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
    await expectPayment(t, nodes, purchase, once, "it is credited once");

    t.step("again: with other bytes, told by another notification, much later");
    const attempt = Object.fromEntries(Object.entries({ attempt: 2, ...capture }).reverse());
    const body = bytesOf(attempt);
    const again = await b.receive(signed(body, { secrets: [secretOf(t)] }));
    t.equal(again.status, 200, "a duplicate is answered like the first");
    await recorded(t, a, retold(t, capture));
    await recorded(t, b, retold(t, { ...capture, created: capture.created + 60 }));
    await expectPayment(t, nodes, purchase, once, "it is still credited once");
    await expectFulfilments(t, a, [purchase], "and shipped once");

    t.step("two refunds of the same amount, each told twice");
    const part = purchase.amount / 4n;
    const refunds = [purchase.refunded(part), purchase.refunded(part)];
    for (const refund of refunds) {
      const request = requestOf(t, refund);
      t.equal((await a.receive(request)).status, 200, "a refund is recorded");
      t.equal((await b.receive(request)).status, 200, "the very same request is answered alike");
      await recorded(t, t.random.pick(nodes), retold(t, refund));
    }
    const less = { ...once, refunded: 2n * part };
    await expectPayment(t, nodes, purchase, less, "each refund counts, and each counts once");
    t.equal(await b.balance("EUR"), purchase.amount - 2n * part, "so does the balance");

    t.step("one subject for things of different types");
    const named = new Purchase(t);
    const subject = `one_${t.random.word(12)}`;
    const things = [named.authorized(), named.captured(), named.refunded(1n), named.disputed()];
    for (const thing of things) await recorded(t, t.random.pick(nodes), { ...thing, subject });
    const disputed = { state: "disputed", captured: named.amount, refunded: 1n } as const;
    await expectPayment(
      t,
      nodes,
      named,
      disputed,
      "the same subject and another type: another thing",
    );

    const kinds = [
      ["the same notification", (event: typeof capture) => event],
      ["another notification of the same", (event: typeof capture) => retold(t, event)],
    ] as const;
    for (const [kind, twinOf] of kinds) {
      await atEachMessage(t, { engine: "postgres" }, "goes on", async (interleave) => {
        const bought = new Purchase(t);
        const event = bought.captured();
        const twin = twinOf(event);
        t.step(`a is stopped on its way to PostgreSQL; b is told by ${kind}`);
        const outcomes = await interleave(
          () => deliver(t, a, event),
          () => deliver(t, b, twin),
        );
        for (const outcome of outcomes) if (outcome) statusOf(t, outcome);
        await untilRecorded(t, b, event);
        await untilRecorded(t, a, twin);
        const all = { state: "captured", captured: bought.amount, refunded: 0n } as const;
        await expectPayment(t, nodes, bought, all, "told twice at the same moment, credited once");
        const open = await b.fulfilments(1_000);
        const shipped = open.filter(({ payment }) => payment === bought.payment).length;
        t.equal(shipped, 1, "and shipped once");
      });
    }
  },
});
