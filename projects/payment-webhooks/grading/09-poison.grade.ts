import { atEachMessage } from "./interleave.ts";
import {
  asideOf,
  check,
  expectPayment,
  NO_ID,
  recorded,
  secretOf,
  startTwoNodes,
  statusOf,
  untilRecorded,
} from "./kit.ts";
import { bytesOf, Purchase, signed } from "./provider.ts";

export default check({
  title: "an event that can never be applied is put aside, and holds nobody up",
  points: 3,
  concept: "poison messages",
  traps: ["poison-sent-again-for-ever", "numbers-as-they-come"],
  engines: { postgres: {}, redis: {} },
  nodes: ["a", "b"],
  dependsOn: ["credited"],
  hints: [
    "A 503 means: send it again. Will this one be any better next time?",
    "What does PostgreSQL say to text with U+0000 in it, and to whom do you pass that on?",
    "Check the whole event before you begin: every field that you need, the form of the amount. Keep what fails by its id, or by a digest of its bytes.",
  ],
  async run(t) {
    const [a, b] = await startTwoNodes(t);
    const nodes = [a, b];
    const send = (bytes: Uint8Array, node = t.random.pick(nodes)) =>
      node.receive(signed(bytes, { secrets: [secretOf(t)] }));
    const events = [
      ...["12.50", "-5", "0", "1e3", "", " 1", "0x10", "9".repeat(18), 12, null].map((amount) => ({
        ...new Purchase(t).captured(),
        amount,
      })),
      { ...new Purchase(t).captured(), currency: "euro" },
      { ...new Purchase(t).refunded(1n), subject: undefined },
      { ...new Purchase(t).authorized(), payment: "pay\u0000ment" },
      { ...new Purchase(t).captured(), order: "ord\u0000er" },
      { ...new Purchase(t).captured(), subject: "sub\u0000ject" },
      { ...new Purchase(t).captured(), payment: t.random.word(9_000) },
      { ...new Purchase(t).authorized(), amount: "much" },
      { ...new Purchase(t).disputed(), currency: undefined },
      { ...new Purchase(t).disputed(), order: 7 },
      { ...new Purchase(t).captured(), payment: "" },
    ];
    const { id: _, ...nameless } = new Purchase(t).captured();
    const bodies = [
      JSON.stringify(nameless),
      "",
      "no JSON",
      '{"id":',
      "null",
      "[]",
      '"evt"',
      "{}",
    ].map((text) => bytesOf(text));

    t.step("genuine, and impossible to apply");
    for (const event of t.random.shuffle(events)) {
      const { status } = await send(bytesOf(event));
      t.equal(status, 200, `200, since sending it again won't help: ${JSON.stringify(event)}`);
    }
    for (const body of bodies) {
      const { status } = await send(body);
      const text = new TextDecoder().decode(body);
      t.equal(status, 200, `200, since sending it again won't help: '${text}'`);
    }
    t.step("some of them again, on both nodes at the same moment");
    const again = [
      ...events.slice(-3).map((event) => bytesOf({ attempt: 2, ...event })),
      ...bodies.slice(0, 2),
    ];
    await Promise.all(again.flatMap((bytes) => nodes.map((node) => send(bytes, node))));
    const ids = [...events.map(({ id }) => id), ...bodies.map(() => NO_ID)].sort();
    for (const node of nodes) {
      const aside = await asideOf(t, node);
      const missing = events.filter(({ id }) => !aside.includes(id)).map(brief);
      t.equal(missing, [], "each of them is put aside");
      t.equal(aside, ids, "each of them is put aside once, and nothing else is");
    }
    t.equal(await a.balance("EUR"), 0n, "and none is credited");
    for (const { payment } of [nameless, ...events]) {
      if (typeof payment !== "string" || payment.includes("\0")) continue;
      t.equal(await b.payment(payment), null, "nothing is known of a payment by such an event");
    }

    t.step("types that are none of our business");
    for (const type of ["payment.method.updated", "customer.created", "payment"]) {
      const { id, created } = new Purchase(t).captured();
      const { status } = await send(bytesOf({ id, type, created, customer: t.random.word() }));
      t.equal(status, 200, "another type of event is answered with 200");
    }
    t.equal((await b.quarantined()).length, ids.length, "and is nothing to look at");

    let count = ids.length;
    await atEachMessage(t, { engine: "postgres" }, "goes on", async (interleave) => {
      const bytes = bytesOf({ ...new Purchase(t).captured(), amount: "-1" });
      t.step("a is stopped on its way to PostgreSQL with one of them; b is told the same");
      const outcomes = await interleave(
        () => send(bytes, a),
        () => send(bytes, b),
      );
      for (const outcome of outcomes) if (outcome) statusOf(t, outcome);
      t.equal((await send(bytes)).status, 200, "sent again, it is answered with 200");
      count += 1;
      t.equal(
        (await b.quarantined()).length,
        count,
        "told twice at the same moment, once put aside",
      );
    });

    t.step("everything else goes on");
    const purchase = new Purchase(t);
    await recorded(t, a, purchase.captured());
    await untilRecorded(t, b, purchase.captured());
    const all = { state: "captured", captured: purchase.amount, refunded: 0n } as const;
    await expectPayment(t, nodes, purchase, all, "what can be applied is");
  },
});

/** Short enough to be read in a failure. */
function brief(event: object): string {
  return JSON.stringify(event, (_, value) =>
    typeof value === "string" && value.length > 40 ? `${value.slice(0, 40)}…` : value,
  );
}
